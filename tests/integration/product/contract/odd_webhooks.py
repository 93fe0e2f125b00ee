"""Bodies that a carrier, or somebody who knows its addresses, might send: broken, nested, repeated, huge. Pure."""

import json
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"
BOUNDARY = "x-boundary"
PARTS = f"{MULTIPART}; boundary={BOUNDARY}"
KINDS = (JSON, FORM, PARTS, MULTIPART, "text/plain", "", "application/json; charset=utf-16")

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 10**40, 1e308, "", " ", "null", "\0", "\ud800", "x" * 20_000, "completed", "ringing",
    "in_progress", "9" * 400, "-5", "1e9", "330.7", "NaN", "https://evil.example/a.mp3", "javascript:alert(1)",
    "+91" + "9" * 60,
    [], [[]], {}, {"$gt": ""}, {"a": {"b": [None]}}, {"\0": 1}, [{"Status": "completed"}], [{"Status": ["x"]}, 7, None],
    [{"Leg": {"Id": 1, "Status": "busy"}}], '[{"Status": "completed"}]', '{"RecordingUrl": "http://a"}', "[" * 3000,
)  # fmt: skip
NAMES = (
    "CallSid", "call_sid", "CALLSID", "From", "To", "CallFrom", "Direction", "CallStatus", "Status", "EventType",
    "CallDuration", "ConversationDuration", "RecordingUrl", "Legs", "Stream", "Legs[0][Status]", "Stream[RecordingUrl]",
    "CustomField", "DateUpdated", "", "\0", "[", "]", "a" * 5000,
)  # fmt: skip


def odd_bodies(fields: Mapping[str, str], seed: int) -> Iterator[tuple[str, bytes]]:
    """Content types and bodies without end, the same ones for the same seed; `fields` are what is right."""
    chance = Random(seed)
    while True:
        odd = spoilt(fields, chance)
        kind, write = chance.choice(RIGHT) if chance.random() < 0.6 else (chance.choice(KINDS), chance.choice(WRITERS))
        body = write(odd, chance)
        yield kind, scratched(body, chance) if chance.random() < 0.15 else body


def spoilt(fields: Mapping[str, str], chance: Random) -> dict[str, Any]:
    """The right fields with some of them odd, missing, or joined by others."""
    odd: dict[str, Any] = {name: value for name, value in fields.items() if chance.random() < 0.9}
    for _ in range(chance.randrange(4)):
        odd[chance.choice(NAMES)] = chance.choice(ODD)
    return odd


def as_json(fields: dict[str, Any], chance: Random) -> bytes:
    """JSON, now and then of something else, doubled, in another encoding, or nested too deep."""
    text = json.dumps(chance.choice([fields, fields, fields, [fields], "text", None, 7, {"body": fields}]))
    if chance.random() < 0.2 and text.startswith("{") and len(text) > 2:
        text = text[:-1] + ", " + text[1:]  # every name twice
    if chance.random() < 0.05:
        text = "[" * 50_000
    return text.encode(chance.choice(["utf-8", "utf-8", "utf-8", "utf-16", "utf-32", "cp037"]))


def as_form(fields: dict[str, Any], chance: Random) -> bytes:
    """A form, now and then with too many fields, repeated ones and broken escapes."""
    pairs = [(name, _text(value)) for name, value in fields.items()]
    pairs += pairs[: chance.randrange(3)]
    if chance.random() < 0.1:
        pairs += [(f"f{number}", "x") for number in range(300)]
    broken = chance.choice(["", "", "&%zz=%", "&&&==", "&=%00", "&%ff=%fe%fd", "+" * 100])
    return (urlencode(pairs, encoding="utf-8", errors="surrogatepass") + broken).encode()


def as_multipart(fields: dict[str, Any], chance: Random) -> bytes:
    """Parts, now and then a file among them, without a name, or without an end."""
    parts = []
    for name, value in fields.items():
        disposition = f'form-data; name="{_text(name)}"'
        disposition += chance.choice(["", "", "", '; filename="a.mp3"', "; filename*=utf-8''%ff", ";;;"])
        kind = chance.choice(["", "", "\r\nContent-Type: application/json", "\r\nContent-Type: text/plain; charset=x"])
        parts.append(f"--{BOUNDARY}\r\nContent-Disposition: {disposition}{kind}\r\n\r\n{_text(value)}\r\n")
    end = chance.choice([f"--{BOUNDARY}--\r\n", f"--{BOUNDARY}--\r\n", "", f"--{BOUNDARY}", "--other--"])
    return ("".join(parts) + end).encode("utf-8", "surrogatepass")


def as_noise(fields: dict[str, Any], chance: Random) -> bytes:
    """Nothing of the kind."""
    return chance.choice(
        [b"", b"\0" * 100, chance.randbytes(500), b"<xml/>", b"\xef\xbb\xbf{}", b"--\r\n", b"&" * 5000]
    )


RIGHT = ((JSON, as_json), (FORM, as_form), (PARTS, as_multipart))
WRITERS = (as_json, as_form, as_multipart, as_noise)


def scratched(body: bytes, chance: Random) -> bytes:
    """The body with some of its bytes replaced, or cut off."""
    spots = bytearray(body)
    for _ in range(min(len(spots), chance.randrange(1, 8))):
        spots[chance.randrange(len(spots))] = chance.randrange(256)
    return bytes(spots[: chance.randrange(len(spots) + 1)] if chance.random() < 0.3 else spots)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
