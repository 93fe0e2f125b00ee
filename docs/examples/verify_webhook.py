#!/usr/bin/env python3
"""Checks webhooks as a receiver does: are they genuine, and are they what the documentation says they are?

    WEBHOOK_SECRET=my-secret-key python verify_webhook.py REQUEST...

Each REQUEST is a file that holds one request as it came: the header lines, an empty line, and the body, byte by byte.
Says "genuine" or what is wrong with each, and ends with status 1 when anything is. Needs Python alone.

To use it in a receiver of your own, copy `verify_signature`: give it the body before anything has parsed it. Where a
message may have been recorded and sent again by a stranger, check `X-Webhook-Timestamp` as well: `verify_timestamped`.
"""

import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

PATIENCE_S = 300
"""How old a message may be before it counts as one that was sent again."""


def verify_signature(payload: bytes, signature: str, secret: str) -> bool:
    """Whether `X-Webhook-Signature` was made over this very body by somebody who knows the secret."""
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"sha256={expected}".encode(), signature.encode())


def verify_timestamped(payload: bytes, signature: str, secret: str, *, timestamp: str, now: float) -> bool:
    """The same for `X-Webhook-Signature-Timestamped`, over timestamp, dot and body; and it was signed just now.

    `timestamp` is `X-Webhook-Timestamp`, in seconds since 1970, as is `now`.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > PATIENCE_S:
        return False
    return verify_signature(timestamp.encode() + b"." + payload, signature, secret)


def problem(request: bytes, secret: str) -> str | None:
    """What is wrong with a request; None: it is genuine, and has the documented form."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    if not verify_signature(body, headers.get("x-webhook-signature", ""), secret):
        return "the signature is not this body's"
    if headers.get("content-type", "").partition(";")[0] != "application/json":
        return "the content type is not application/json"
    try:
        message = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    if not isinstance(message, dict) or not {"event", "timestamp", "data"} <= message.keys():
        return "the body lacks event, timestamp or data"
    if message["event"] != headers.get("x-webhook-event"):
        return "X-Webhook-Event is not the body's event"
    return None


def main() -> int:
    """Check every file that is named; 1 when anything is wrong."""
    secret = os.environ.get("WEBHOOK_SECRET", "")
    if not secret or len(sys.argv) < 2:
        sys.stderr.write("usage: WEBHOOK_SECRET=... verify_webhook.py REQUEST...\n")
        return 2
    problems = [(name, problem(Path(name).read_bytes(), secret)) for name in sys.argv[1:]]
    for name, wrong in problems:
        sys.stdout.write(f"{name}: {wrong or 'genuine'}\n")
    return int(any(wrong for _, wrong in problems))


if __name__ == "__main__":
    raise SystemExit(main())
