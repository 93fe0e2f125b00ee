"""Where an agent's function may be reached: on the public internet, and where the operator allows it besides. Pure.

The registries are IANA's of special-purpose addresses (RFC 6890), as Python's `ipaddress` knows them, with what that
leaves out: addresses that carry an IPv4 address, and the services of clouds that have public ones.
"""

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx

from models.errors import Forbidden, Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_LAST_PORT = 65_535
_NOT_PUBLIC: tuple[Network, ...] = (
    ip_network("0.0.0.0/8"),
    ip_network("100.64.0.0/10"),  # carrier-grade NAT, and a cloud's metadata service in it
    ip_network("168.63.129.16/32"),  # a cloud's own services, at a public address
    ip_network("192.0.0.0/24"),
    ip_network("192.88.99.0/24"),  # 6to4 relays
    ip_network("198.18.0.0/15"),
    ip_network("::/96"),  # IPv4-compatible
    ip_network("::ffff:0:0/96"),  # IPv4-mapped
    ip_network("64:ff9b::/96"),  # NAT64: an IPv4 address within
    ip_network("64:ff9b:1::/48"),
    ip_network("2001::/23"),  # Teredo among others
    ip_network("2002::/16"),  # 6to4: an IPv4 address within
    ip_network("3fff::/20"),
    ip_network("5f00::/16"),
    ip_network("fec0::/10"),
)


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """What may be reached. `allowed_hosts` (lower case) are reached wherever their name leads, `allowed_networks`
    under any name."""

    allowed_hosts: frozenset[str] = frozenset()
    allowed_networks: tuple[Network, ...] = ()

    def check_url(self, text: str) -> None:
        """Raises Invalid for an address that can be refused without resolving its name: not http or https, with a
        user or password in it, or plainly of a private network."""
        try:
            url = httpx.URL(text)
            host = _bare(url.raw_host.decode("ascii"))
        except (httpx.InvalidURL, ValueError) as error:  # the latter from names that cannot be encoded
            raise Invalid("is not an address") from error
        if url.scheme not in ("http", "https") or not host:
            raise Invalid("must begin with http:// or https:// and a host")
        if "%" in host or (url.port or 0) > _LAST_PORT:
            raise Invalid("is not an address")
        if url.userinfo:
            raise Invalid("must not hold a user or password; send them in a header")
        literal = _literal(host)
        is_local = host == "localhost" or host.endswith(".localhost")
        is_refused = is_local if literal is None else not self._is_open(literal)
        if is_refused and host not in self.allowed_hosts:
            raise Invalid("must lead to the public internet")

    def check(self, host: str, addresses: Sequence[Address]) -> None:
        """Raises Forbidden unless every address the name has led to may be reached."""
        if _bare(host) not in self.allowed_hosts and not all(map(self._is_open, addresses)):
            raise Forbidden("The function's address does not lead to the public internet")

    def _is_open(self, address: Address) -> bool:
        return is_public(address) or _is_in(address, self.allowed_networks)


def is_public(address: Address) -> bool:
    """Whether it is an ordinary host's on the public internet: not private, loopback, link-local, multicast, reserved,
    unspecified, shared or a wrapping of any of them."""
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not is_special and not _is_in(address, _NOT_PUBLIC)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _bare(host: str) -> str:
    return host.lower().rstrip(".")


def _literal(host: str) -> Address | None:
    """The address a host is written as, in the old spellings too that resolvers take: 127.1, 0x7f000001, 2130706433."""
    try:
        return ip_address(host)
    except ValueError:
        return _old_spelling(host)


def _old_spelling(host: str) -> IPv4Address | None:
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
