"""TLS to a pinned address: the certificate is checked against the name, and a refusal leaves the pool well."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from models.errors import Forbidden
from providers.tools.addresses import Address, AddressGuard
from providers.tools.transport import GuardedBackend, GuardedTransport

pytestmark = pytest.mark.integration

NAME = "api.example.com"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for the name, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)]), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return paths


@pytest.fixture
async def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    """A server on loopback with the certificate, which this process trusts."""
    trusted, key = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted, key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def somewhere(host: str, port: int) -> Sequence[Address]:
    """Every name leads to this machine, but one to its neighbour."""
    return [ip_address("10.0.0.1" if host == "inside.example.com" else "127.0.0.1")]


async def get(transport: GuardedTransport, host: str, port: int) -> str:
    response = await transport.handle_async_request(httpx.Request("GET", f"https://{host}:{port}/"))
    return (await response.aread()).decode()


async def test_the_certificate_must_be_the_names(port: int) -> None:
    guard = AddressGuard(allowed_networks=(ip_network("127.0.0.0/8"),))
    transport = GuardedTransport(GuardedBackend(guard, somewhere))
    try:
        assert await get(transport, NAME, port) == "ok"
        with pytest.raises(httpx.TransportError):
            await get(transport, "other.example.com", port)
        with pytest.raises(Forbidden):
            await get(transport, "inside.example.com", port)
        assert await get(transport, NAME, port) == "ok"
    finally:
        await transport.aclose()
