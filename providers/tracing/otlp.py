"""Sends spans to a collector: OTLP over HTTP, from a thread of its own, so that no call ever waits for one.

What the collector does not take is tried again a few times, as the protocol asks; while it is away spans are kept up
to a limit, and dropped beyond it. Traces are for looking at, the truth of a call is its log.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

import httpx

from providers.tracing.encoding import encoded
from providers.tracing.spans import SpanData

MAX_WAITING = 2_000
"""Batches; one call is one, or a few."""
MAX_BATCH = 512
TIMEOUT_S = 10.0
RETRY_AFTER_S = (1.0, 2.0, 4.0)
RETRYABLE = frozenset({429, 502, 503, 504})

logger = logging.getLogger(__name__)


class OtlpExporter:
    """`endpoint` is the collector's base address, such as http://collector:4318. Close it, or end the process."""

    def __init__(
        self,
        endpoint: str,
        *,
        on_dropped: Callable[[int], None],
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = endpoint.rstrip("/") + "/v1/traces"
        self._on_dropped = on_dropped
        self._pause = pause
        self._client = httpx.Client(transport=transport, timeout=TIMEOUT_S)
        self._waiting: queue.Queue[Sequence[SpanData] | None] = queue.Queue(MAX_WAITING)
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def add(self, spans: Sequence[SpanData]) -> None:
        """Send these soon, at most MAX_BATCH in a request; never waits and never raises."""
        for first in range(0, len(spans), MAX_BATCH):
            batch = spans[first : first + MAX_BATCH]
            try:
                self._waiting.put_nowait(batch)
            except queue.Full:
                self._on_dropped(len(batch))

    def close(self) -> None:
        """Send what waits, then end."""
        self._waiting.put(None)
        self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while (batch := self._waiting.get()) is not None:
            try:
                problem = self._send(encoded(batch))
            except Exception as error:  # the thread must live on for the next call's
                problem = type(error).__name__
            if problem is not None:
                self._on_dropped(len(batch))
                logger.warning("spans were not taken", extra={"spans": len(batch), "problem": problem})

    def _send(self, body: bytes) -> str | None:
        """None: taken; else why it was given up."""
        for wait_s in (*RETRY_AFTER_S, None):
            problem, is_final = self._post(body)
            if problem is None or is_final or wait_s is None:
                return problem
            self._pause(wait_s)
        return None

    def _post(self, body: bytes) -> tuple[str | None, bool]:
        """What went wrong, and whether it would again."""
        try:
            answer = self._client.post(self._url, content=body, headers={"Content-Type": "application/x-protobuf"})
        except httpx.HTTPError as error:
            return type(error).__name__, False
        if answer.is_success:
            return None, False
        return f"HTTP {answer.status_code}", answer.status_code not in RETRYABLE
