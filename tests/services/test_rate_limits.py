"""Which windows a request is counted in, and what it learns."""

from dataclasses import replace
from typing import Any

import pytest

from models.document import new_id
from models.settings import Settings
from services.principal import Principal
from services.rate_limits import Verdict, address_windows, user_windows
from stores.limits import Count, Window

USER = Principal(new_id(), new_id())
KEY = replace(USER, key_id=new_id(), limit=7)


def settings(**fields: Any) -> Settings:
    return Settings(_env_file=None, **fields)


def limits(windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    return [(window.limit, window.window_s) for window in windows]


def count(limit: int, hits: int, left_ms: int) -> Count:
    return Count(Window("k", limit, 900), hits, left_ms)


def test_the_documented_numbers_are_the_defaults() -> None:
    assert limits(address_windows(settings(), "203.0.113.7")) == [(5, 900)]
    assert limits(user_windows(settings(), USER, is_outbound_call=False)) == [(100, 900)]
    assert limits(user_windows(settings(), USER, is_outbound_call=True)) == [(100, 900), (10, 60)]


def test_a_key_with_a_limit_is_counted_apart_and_its_calls_with_its_users() -> None:
    as_user, as_key = (user_windows(settings(), who, is_outbound_call=True) for who in (USER, KEY))
    assert limits(as_key) == [(7, 900), (10, 60)]
    assert as_key[0].key != as_user[0].key
    assert as_key[1] == as_user[1]
    assert user_windows(settings(), replace(KEY, limit=None), is_outbound_call=True) == as_user


def test_windows_counted_together_share_a_hash_tag() -> None:
    tags = {window.key[window.key.index("{") :] for window in user_windows(settings(), KEY, is_outbound_call=True)}
    assert tags == {f"{{{USER.user_id}}}"}


def test_zero_is_no_limit() -> None:
    free = settings(limit_auth_per_ip=0, limit_api_per_user=0)
    assert address_windows(free, "203.0.113.7") == ()
    assert limits(user_windows(free, USER, is_outbound_call=True)) == [(10, 60)]
    assert limits(user_windows(free, KEY, is_outbound_call=False)) == [(7, 900)]


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ([count(100, 5, 900_000)], Verdict(100, 95, 900, is_refused=False)),
        ([count(10, 10, 1)], Verdict(10, 0, 1, is_refused=False)),
        ([count(10, 11, 59_001)], Verdict(10, 0, 60, is_refused=True)),
        ([count(10, 500, 0)], Verdict(10, 0, 1, is_refused=True)),
        # Two: the one that leaves less; of two that refuse, the one that lasts.
        ([count(100, 5, 900_000), count(10, 5, 60_000)], Verdict(10, 5, 60, is_refused=False)),
        ([count(100, 98, 900_000), count(10, 5, 60_000)], Verdict(100, 2, 900, is_refused=False)),
        ([count(100, 100, 900_000), count(10, 11, 60_000)], Verdict(10, 0, 60, is_refused=True)),
        ([count(100, 101, 900_000), count(10, 11, 60_000)], Verdict(100, 0, 900, is_refused=True)),
    ],
)
def test_the_tightest_window_is_told(counts: list[Count], verdict: Verdict) -> None:
    assert Verdict.of(counts) == verdict
