"""TCP ports: whether one is free, and one that is."""

import random
import socket

LOWEST, HIGHEST = 20_000, 29_999
"""Below the ports that systems give to outgoing connections, or one of Ray's hundreds could take what we were promised,
and below those that Serve gives to its replicas."""

_handed_out: set[int] = set()


def free_port() -> int:
    """A port nobody listens on now, and that this process was not given before."""
    while True:
        port = random.randint(LOWEST, HIGHEST)
        if port not in _handed_out and is_free("0.0.0.0", port):
            _handed_out.add(port)
            return port


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
