"""Whose address counts behind proxies."""

import pytest
from starlette.requests import HTTPConnection

from serve_app.client_address import client_ip, network_of

CLIENT, EDGE, BALANCER, FORGED = "203.0.113.7", "198.51.100.1", "198.51.100.2", "192.0.2.66"


def connection(*headers: str, peer: tuple[str, int] | None = ("127.0.0.1", 4711)) -> HTTPConnection:
    raw = [(b"x-forwarded-for", header.encode()) for header in headers]
    return HTTPConnection({"type": "http", "headers": raw, "client": peer})


@pytest.mark.parametrize(
    ("trusted", "headers", "expected"),
    [
        (0, [CLIENT], CLIENT),
        (0, [f"{FORGED}, {CLIENT}"], CLIENT),
        (0, [FORGED, CLIENT], CLIENT),
        (1, [f"{CLIENT}, {EDGE}"], CLIENT),
        (1, [f"{FORGED},{CLIENT},{EDGE}"], CLIENT),
        (2, [f"{FORGED}, {CLIENT}, {EDGE}", BALANCER], CLIENT),
        (2, [f"{FORGED}, {CLIENT}", EDGE, BALANCER], CLIENT),
    ],
)
def test_the_client_is_left_of_the_trusted_proxies(trusted: int, headers: list[str], expected: str) -> None:
    assert client_ip(connection(*headers), trusted) == expected


def test_who_passed_fewer_proxies_is_the_leftmost() -> None:
    assert client_ip(connection(CLIENT), 3) == CLIENT


@pytest.mark.parametrize("word", ["unknown", "", "localhost", "1.2.3.4.5", "203.0.113.7:80", "' or 1=1", "é"])
def test_a_value_that_is_no_address_leaves_it_to_the_right_never_to_the_left(word: str) -> None:
    assert client_ip(connection(f"{FORGED}, {word}, {EDGE}"), 1) == EDGE
    assert client_ip(connection(f"{FORGED}, {word}"), 0) == "127.0.0.1"


def test_without_the_header_it_is_the_peer() -> None:
    assert client_ip(connection(), 0) == "127.0.0.1"
    assert client_ip(connection(), 5) == "127.0.0.1"
    assert client_ip(connection(peer=None), 0) == ""


@pytest.mark.parametrize(
    ("written", "ip", "network"),
    [
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0:1:aaaa::5", "2001:db8:0:1:aaaa::5", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb::6", "2001:db8:0:1:bbbb::6", "2001:db8:0:1::/64"),
        (" 203.0.113.7\t", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_spellings_of_one_client_are_one(written: str, ip: str, network: str) -> None:
    assert client_ip(connection(written), 0) == ip
    assert network_of(ip) == network


def test_a_peer_that_is_no_address_counts_as_it_is() -> None:
    assert network_of("/run/callboard.sock") == "/run/callboard.sock"
