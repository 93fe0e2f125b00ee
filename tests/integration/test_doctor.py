"""`callboard doctor` on this machine."""

from pathlib import Path

import pytest

from cli.checks import CHECKS, State
from cli.doctor import doctor, examine
from models.settings import Settings

pytestmark = pytest.mark.integration


def test_doctor_says_a_line_for_each_check_and_fails_when_something_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(_env_file=None, callboard_data_dir=tmp_path, stt_model="/no/such/model")
    assert doctor(settings) == 1
    printed = capsys.readouterr().out
    assert all(f"  {name} " in printed for name, _ in CHECKS)
    assert "STT_MODEL" in printed


def test_doctor_names_the_setting_of_an_unreachable_service(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, callboard_data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0")
    (found,) = [finding for finding in examine(settings) if finding.name == "redis"]
    assert found.state is State.MISSING
    assert "REDIS_URL" in found.text
