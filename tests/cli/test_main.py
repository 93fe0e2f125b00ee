"""The command line: what it refuses and what it hides."""

import pytest

from cli.main import main
from cli.up import without_password


def test_a_wrong_setting_is_one_line_naming_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "seventy")
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("error: PORT: ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://ada:hidden@db:27017/x?a=b", "mongodb://***@db:27017/x?a=b"),
        ("redis://:hidden@cache:6379/0", "redis://***@cache:6379/0"),
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("10.0.0.1:6379", "10.0.0.1:6379"),
    ],
)
def test_passwords_are_not_shown(url: str, shown: str) -> None:
    assert without_password(url) == shown
