import socket
from pathlib import Path

from cli.embedded.ports import free_port, is_free


def test_a_port_is_given_once_and_none_that_systems_give_away() -> None:
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == len(ports)
    range_file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest_given_away = int(range_file.read_text().split()[0]) if range_file.exists() else 32_768
    assert max(ports) < lowest_given_away


def test_a_port_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not is_free("127.0.0.1", taken.getsockname()[1])
