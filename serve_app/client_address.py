"""Where a request really comes from.

Serve's HAProxy stands before every replica and, told so by `cli/embedded/ray.py`, appends the peer it sees as the last
value of X-Forwarded-For; each proxy an operator puts in front has appended one before it. Everything further left is
the client's own word and counts for nothing.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.requests import HTTPConnection

SITE_PREFIX = 64
"""What one IPv6 customer has for certain; within it they change addresses as they like."""

Address = IPv4Address | IPv6Address


def client_ip(connection: HTTPConnection, trusted_proxies: int) -> str:
    """The client's address behind our own ingress and `trusted_proxies` more; with no header, the peer's.

    A value that is no address is passed over for the next one to its right, never for one to its left.
    """
    values = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    for value in values[max(0, len(values) - 1 - trusted_proxies) :]:
        if (address := parsed(value)) is not None:
            return str(address)
    return connection.client.host if connection.client else ""


def network_of(ip: str) -> str:
    """What counts as one client when requests are counted: an IPv4 address, an IPv6 /64; other text as it is."""
    address = parsed(ip)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, SITE_PREFIX), strict=False))
    return ip if address is None else str(address)


def parsed(text: str) -> Address | None:
    """An address, an IPv4 one also out of its IPv6 spelling (::ffff:192.0.2.1); None when the text is none."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
