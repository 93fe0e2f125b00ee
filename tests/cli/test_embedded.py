"""Addresses and options of the embedded services, without starting any."""

from pathlib import Path

import pytest

from cli.embedded.mongodb import mongodb_url
from cli.embedded.places import make_runtime_dir, runtime_path
from cli.embedded.ray import ray_environment
from cli.embedded.redis import redis_url
from cli.errors import StartFailed
from models.settings import Settings

LONGEST_SOCKET = 107
NODE_ID = "f" * 56
HAPROXY_SUFFIX = ".4194304.tmp"
"""HAProxy binds to a name of its own beside its socket and renames it."""


def test_socket_paths_fit_however_deep_the_data_directory_is(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 200)
    ctl = Path(ray_environment(settings(deep))["RAY_SERVE_HAPROXY_SOCKET_PATH"])
    assert len(f"{ctl.parent / NODE_ID / ctl.name}{HAPROXY_SUFFIX}") <= LONGEST_SOCKET
    assert len(mongodb_url(deep)) < LONGEST_SOCKET + 50


def test_each_data_directory_has_addresses_of_its_own(tmp_path: Path) -> None:
    assert mongodb_url(tmp_path / "a") == mongodb_url(tmp_path / "a") != mongodb_url(tmp_path / "b")
    assert redis_url(tmp_path / "a") != redis_url(tmp_path / "b")


def test_the_socket_directory_is_private(tmp_path: Path) -> None:
    made = make_runtime_dir(tmp_path)
    assert made.stat().st_mode & 0o777 == 0o700
    made.rmdir()


def test_a_socket_directory_somebody_else_made_is_refused(tmp_path: Path) -> None:
    runtime_path(tmp_path).symlink_to(tmp_path)
    with pytest.raises(StartFailed, match="belongs to somebody else"):
        make_runtime_dir(tmp_path)
    runtime_path(tmp_path).unlink()


def test_no_reload_of_the_ingress_cuts_a_call_of_allowed_length(tmp_path: Path) -> None:
    for local in (True, False):
        given = settings(tmp_path, max_call_s=7200)
        assert int(ray_environment(given, local=local)["RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S"]) > given.max_call_s


def test_a_cluster_that_was_there_keeps_its_own_addresses(tmp_path: Path) -> None:
    assert "RAY_SERVE_HAPROXY_SOCKET_PATH" not in ray_environment(settings(tmp_path), local=False)


def settings(data_dir: Path, *, max_call_s: int = 3600) -> Settings:
    """Settings that matter here."""
    return Settings(_env_file=None, callboard_data_dir=data_dir, max_call_s=max_call_s)
