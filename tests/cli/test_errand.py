"""Finding the Ray that something is to be done on, and what deploying needs to be told."""

import shutil
from pathlib import Path

import pytest

from cli.deploy import REFUSED, deploy
from cli.embedded.places import make_runtime_dir
from cli.embedded.ports import free_port
from cli.errand import embedded_address, reached
from cli.errors import StartFailed
from models.settings import Settings


def test_without_a_ray_it_says_how_to_come_by_one(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"callboard up.*RAY_ADDRESS"):
        reached(Settings(_env_file=None, callboard_data_dir=tmp_path))


def test_a_ray_that_does_not_answer_is_named(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(StartFailed, match=f"{address}: check RAY_ADDRESS"):
        reached(Settings(_env_file=None, callboard_data_dir=tmp_path, ray_address=address))


def test_the_embedded_ray_is_found_in_the_data_directory(tmp_path: Path) -> None:
    assert embedded_address(tmp_path) is None
    runtime = make_runtime_dir(tmp_path)
    try:
        (runtime / "ray").mkdir()
        (runtime / "ray" / "ray_current_cluster").write_text("127.0.0.1:4321\n")
        assert embedded_address(tmp_path) == "127.0.0.1:4321"
    finally:
        shutil.rmtree(runtime)


def test_the_ray_of_this_machine_is_taken_at_its_word() -> None:
    assert reached(Settings(_env_file=None, ray_address="auto")).ray_address == "auto"


@pytest.mark.parametrize(
    ("given", "asked_for"),
    [
        ({}, "RAY_ADDRESS"),
        ({"ray_address": "auto"}, "MONGODB_URL, REDIS_URL, SECRET_KEY, ENCRYPTION_KEY"),
        ({"ray_address": "auto", "mongodb_url": "mongodb://db", "secret_key": "x"}, "REDIS_URL, ENCRYPTION_KEY"),
    ],
)
def test_deploying_asks_for_what_every_node_needs(
    given: dict[str, str], asked_for: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(Settings(_env_file=None, **given)) == REFUSED  # type: ignore[arg-type]
    assert asked_for in capsys.readouterr().out
