"""One run per data directory."""

import os
from pathlib import Path

import pytest

from cli.data_dir import claim, holder
from cli.errors import StartFailed


def test_a_second_claim_names_the_process_that_has_it(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(StartFailed, match=f"process {os.getpid()}"), claim(tmp_path):
        pass


def test_it_is_free_again_afterwards(tmp_path: Path) -> None:
    with claim(tmp_path):
        assert holder(tmp_path) == os.getpid()
    assert holder(tmp_path) is None
    with claim(tmp_path):
        assert holder(tmp_path) == os.getpid()


def test_a_directory_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartFailed, match="CALLBOARD_DATA_DIR"), claim(tmp_path / "file" / "data"):
        pass
