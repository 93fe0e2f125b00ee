"""A span of a trace as data, in OpenTelemetry's terms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class SpanEvent:
    """Something that happened at one moment of a span."""

    name: str
    at: datetime
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SpanData:
    """One finished piece of work; times have a zone. `trace_id` has 16 bytes, the other ids have 8."""

    trace_id: bytes
    span_id: bytes
    parent_id: bytes | None
    name: str
    start: datetime
    end: datetime
    kind: Literal["server", "client", "internal"] = "internal"
    attributes: Mapping[str, Value] = field(default_factory=dict)
    events: tuple[SpanEvent, ...] = ()
    has_failed: bool = False
