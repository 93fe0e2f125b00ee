"""What makes a revision another one."""

from pathlib import Path

from pydantic import SecretStr

from actors.cluster.revision import code_of, revision_of
from models.settings import Settings

SETTINGS = Settings(_env_file=None, mongodb_url="mongodb://db", secret_key=SecretStr("one"))


def changed(**values: object) -> str:
    return revision_of(SETTINGS.model_copy(update=values), driver="d")


def test_the_same_code_and_settings_are_the_same_revision() -> None:
    assert changed() == changed()


def test_every_setting_counts_secrets_too() -> None:
    assert len({changed(), changed(call_slots=9), changed(secret_key=SecretStr("two"))}) == 3


def test_where_one_deploys_from_does_not_count() -> None:
    assert changed(ray_address="auto", callboard_data_dir=Path("elsewhere")) == changed()


def test_another_driver_is_another_revision() -> None:
    assert revision_of(SETTINGS, driver="echo") != changed()


def test_code_counts_and_what_was_compiled_of_it_does_not(tmp_path: Path) -> None:
    def code(text: str, *, compiled: bool = False) -> str:
        code_of.cache_clear()
        (tmp_path / "actors" / "__pycache__").mkdir(parents=True, exist_ok=True)
        (tmp_path / "actors" / "a.py").write_text(text)
        if compiled:
            (tmp_path / "actors" / "__pycache__" / "a.pyc").write_text(text)
        return code_of(tmp_path)

    assert code("x = 1") == code("x = 1", compiled=True) != code("x = 2")


def test_a_revision_is_short_enough_for_a_name() -> None:
    assert "one" not in changed()
    assert len(changed()) == 10
