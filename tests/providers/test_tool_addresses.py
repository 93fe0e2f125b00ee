"""Where functions may lead, and where never."""

from ipaddress import ip_address, ip_network

import pytest

from models.errors import Forbidden, Invalid
from models.settings import Settings
from providers.tools.addresses import AddressGuard, is_public
from providers.tools.http import guard_of

GUARD = AddressGuard()


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "100.63.255.255",
        "100.128.0.1",
        "172.32.0.1",
        "2606:4700::1111",
        "2a00:1450:4001:800::200e",
    ],
)
def test_ordinary_hosts_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_everything_special_is_not(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Forbidden):
        GUARD.check("example.com", [ip_address("8.8.8.8"), ip_address(address)])


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/weather?city=x#top",
        "http://8.8.8.8:8080/",
        "https://[2606:4700::1111]/",
        "https://1e100.net",
        "https://münchen.example/",
    ],
)
def test_public_addresses_are_taken(url: str) -> None:
    GUARD.check_url(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://example.com", "must begin with"),
        ("file:///etc/passwd", "must begin with"),
        ("gopher://example.com", "must begin with"),
        ("http://", "must begin with"),
        ("/weather", "must begin with"),
        ("https://user:password@example.com", "must not hold"),
        ("https://user@example.com", "must not hold"),
        ("http://localhost:8000", "public internet"),
        ("http://LOCALHOST./", "public internet"),
        ("http://db.localhost/", "public internet"),
        ("http://127.0.0.1/", "public internet"),
        ("http://127.0.0.1./", "public internet"),
        ("http://127.1/", "public internet"),
        ("http://2130706433/", "public internet"),
        ("http://0x7f000001/", "public internet"),
        ("http://0177.0.0.1/", "not an address"),
        ("http://0/", "public internet"),
        ("http://127。0。0。1/", "public internet"),
        ("http://%6cocalhost/", "not an address"),
        ("http://[::1]/", "public internet"),
        ("http://[::ffff:169.254.169.254]/", "public internet"),
        ("http://169.254.169.254/latest/meta-data", "public internet"),
        ("http://a b.com", "not an address"),
        ("http://[::1/", "not an address"),
        ("http://example.com:99999999/", "not an address"),
    ],
)
def test_what_needs_no_resolver_is_refused_at_once(url: str, problem: str) -> None:
    with pytest.raises(Invalid, match=problem):
        GUARD.check_url(url)


def test_the_operator_lets_hosts_and_networks_through() -> None:
    settings = Settings(_env_file=None, tool_allowed_hosts=" crm.internal, 10.1.0.0/16,::1 , CRM2 ,192.168.0.7")
    guard = guard_of(settings)
    assert guard.allowed_hosts == {"crm.internal", "crm2"}
    assert guard.allowed_networks == (ip_network("10.1.0.0/16"), ip_network("::1"), ip_network("192.168.0.7"))
    guard.check("CRM.internal.", [ip_address("192.168.3.4")])
    guard.check("anything.example", [ip_address("10.1.2.3"), ip_address("8.8.8.8")])
    guard.check_url("http://[::1]:8000/")
    guard.check_url("http://crm2/")
    for host, address in (("crm3", "192.168.3.4"), ("anything.example", "10.2.0.1")):
        with pytest.raises(Forbidden):
            guard.check(host, [ip_address(address)])


@pytest.mark.parametrize("text", ["10.0.0.0/40", "http://crm", "a b", "crm.internal:80", "127.0.0.256"])
def test_places_that_cannot_be_read_stop_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="tool_allowed_hosts"):
        Settings(_env_file=None, tool_allowed_hosts=text)
