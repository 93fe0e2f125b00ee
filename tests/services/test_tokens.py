"""Tokens in addresses."""

from services.tokens import is_token_for, token_for


def test_a_token_is_good_for_its_purpose_and_id_only() -> None:
    token = token_for("secret", "call", "a")
    assert is_token_for("secret", "call", "a", token)
    assert not is_token_for("secret", "phone", "a", token)
    assert not is_token_for("secret", "call", "b", token)
    assert not is_token_for("other", "call", "a", token)


def test_a_token_is_short_and_fits_an_address() -> None:
    token = token_for("secret", "media", "sess_x")
    assert len(token) == 24
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_any_text_may_be_offered_as_a_token() -> None:
    for offered in ("", "é", "\ud800", "x" * 10_000, "\0"):
        assert not is_token_for("secret", "call", "a", offered)
