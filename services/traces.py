"""Where calls that are over become traces: nowhere, unless the settings name a collector (`OTEL_ENDPOINT`)."""

import logging
from collections.abc import Sequence
from typing import Protocol

from models.call import Call
from models.settings import Settings
from providers.tracing.spans import SpanData
from services import meters
from services.spans import spans_of

logger = logging.getLogger(__name__)


class Exporter(Protocol):
    """Takes spans to whoever keeps them."""

    def add(self, spans: Sequence[SpanData]) -> None:
        """Send these soon. Raises nothing and never waits."""


_exporter: Exporter | None = None


def begin(settings: Settings) -> None:
    """Have this process tell of calls, if it should; once is enough, more does no harm."""
    if settings.otel_endpoint and _exporter is None:
        from providers.tracing.otlp import OtlpExporter  # protobuf's classes, which few installations need

        use(OtlpExporter(settings.otel_endpoint, on_dropped=_count_dropped))


def use(exporter: Exporter | None) -> None:
    """Send this process's spans there from now on; None: nowhere."""
    global _exporter
    _exporter = exporter


def ended(call: Call) -> None:
    """A call's log is closed: `call` is all of it. A trace that cannot be made is no trouble of the call's."""
    if _exporter is None:
        return
    try:
        _exporter.add(spans_of(call))
    except Exception:
        logger.exception("a call's trace could not be made", extra={"call_id": call.id})


def _count_dropped(spans: int) -> None:
    meters.count("spans_dropped_total", spans)
