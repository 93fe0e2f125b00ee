"""The script that receivers are given, against what the product sends."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from models.settings import REPOSITORY
from services import webhook_rules as rules
from tests.documents import NOW

SCRIPT = REPOSITORY / "docs" / "examples" / "verify_webhook.py"
SECRET = "my-secret-key"
BODY = rules.body("call.started", NOW, {"call_id": "call-123456-abc", "caller": "Zoë"}).encode()


def request(body: bytes = BODY, **replaced: str) -> bytes:
    """One request as it comes, line by line; `replaced` are headers, with underscores."""
    sent = rules.headers("call.started", "evt", BODY, SECRET, NOW) | {"Content-Length": str(len(body))}
    sent |= {name.replace("_", "-"): value for name, value in replaced.items()}
    lines = ["POST /hook HTTP/1.1", "Host: crm.example.com", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script's functions."""
    spec = importlib.util.spec_from_file_location("verify_webhook", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_we_send_is_genuine(script: ModuleType) -> None:
    assert script.problem(request(), SECRET) is None


@pytest.mark.parametrize(
    ("changed", "secret", "wrong"),
    [
        (request(BODY.replace(b"123456", b"123457")), SECRET, "the signature is not this body's"),
        (request(BODY + b" "), SECRET, "the signature is not this body's"),
        (request(), "another-key", "the signature is not this body's"),
        (request(X_Webhook_Signature=""), SECRET, "the signature is not this body's"),
        (request(X_Webhook_Signature="sha256=\xe9"), SECRET, "the signature is not this body's"),
        (request(X_Webhook_Event="call.ended"), SECRET, "X-Webhook-Event is not the body's event"),
        (request(Content_Type="text/plain"), SECRET, "the content type is not application/json"),
    ],
)
def test_what_anybody_has_changed_is_not(script: ModuleType, changed: bytes, secret: str, wrong: str) -> None:
    assert script.problem(changed, secret) == wrong


@pytest.mark.parametrize(("late_s", "is_genuine"), [(0, True), (300, True), (301, False), (-301, False)])
def test_a_message_that_was_recorded_is_told_by_its_age(script: ModuleType, late_s: int, is_genuine: bool) -> None:
    sent = rules.headers("call.started", "evt", BODY, SECRET, NOW)
    found = script.verify_timestamped(
        BODY,
        sent["X-Webhook-Signature-Timestamped"],
        SECRET,
        timestamp=sent["X-Webhook-Timestamp"],
        now=NOW.timestamp() + late_s,
    )
    assert found is is_genuine


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "²", "now"])
def test_a_timestamp_that_is_none_is_not_genuine(script: ModuleType, timestamp: str) -> None:
    assert not script.verify_timestamped(BODY, "sha256=", SECRET, timestamp=timestamp, now=0.0)


def test_alone_it_tells_genuine_requests_from_others_and_says_so_with_its_status(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.http", tmp_path / "bad.http"
    good.write_bytes(request())
    bad.write_bytes(request(BODY + b"\n"))
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET}
    for files, status in (([good], 0), ([good, bad], 1), ([], 2)):
        found = subprocess.run(
            [sys.executable, "-I", str(SCRIPT), *map(str, files)], env=environment, capture_output=True, check=False
        )
        assert found.returncode == status, found
        assert found.stdout.decode().splitlines() == [
            f"{file}: {'genuine' if file is good else 'the signature is not this body' + chr(39) + 's'}"
            for file in files
        ]
