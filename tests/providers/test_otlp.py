"""The exporter of traces over a played collector: what is sent, tried again, given up, dropped."""

import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from providers.tracing import otlp
from providers.tracing.otlp import MAX_BATCH, OtlpExporter
from providers.tracing.spans import SpanData, SpanEvent

AT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def a_span(number: int = 1, **fields: object) -> SpanData:
    own: dict[str, object] = {"parent_id": None, "name": "tts", "start": AT, "end": AT + timedelta(milliseconds=105)}
    return SpanData(trace_id=b"t" * 16, span_id=number.to_bytes(8, "big"), **(own | fields))  # type: ignore[arg-type]


class Collector:
    """Answers with these statuses in turn, then with 200; `problem` is raised instead of the first answer."""

    def __init__(self, *statuses: int, problem: Exception | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.paused: list[float] = []
        self.dropped: list[int] = []
        self._statuses = list(statuses)
        self._problem = problem

    def exporter(self, endpoint: str = "http://collector:4318") -> OtlpExporter:
        """One that talks to this collector, and never waits."""
        transport = httpx.MockTransport(self._answer)
        return OtlpExporter(endpoint, on_dropped=self.dropped.append, transport=transport, pause=self.paused.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._problem is not None:
            problem, self._problem = self._problem, None
            raise problem
        return httpx.Response(self._statuses.pop(0) if self._statuses else 200)


def sent(request: httpx.Request) -> ExportTraceServiceRequest:
    body = ExportTraceServiceRequest()
    body.ParseFromString(request.content)
    return body


def test_a_span_arrives_as_it_is() -> None:
    collector = Collector()
    event = SpanEvent("barge-in", AT, {"decision": "cut"})
    attributes = {"words": "x", "count": 3, "share": 0.5, "is_it": True}
    exporter = collector.exporter("http://collector:4318/")
    exporter.add([a_span(parent_id=b"p" * 8, kind="client", attributes=attributes, events=(event,), has_failed=True)])
    exporter.close()
    (request,) = collector.requests
    assert (str(request.url), request.headers["content-type"]) == (
        "http://collector:4318/v1/traces",
        "application/x-protobuf",
    )
    (resource,) = sent(request).resource_spans
    assert resource.resource.attributes[0].value.string_value == "callboard"
    (span,) = resource.scope_spans[0].spans
    assert (span.trace_id, span.parent_span_id, span.name) == (b"t" * 16, b"p" * 8, "tts")
    assert (span.end_time_unix_nano - span.start_time_unix_nano, span.start_time_unix_nano) == (
        105_000_000,
        int(AT.timestamp()) * 10**9,
    )
    kinds = [each.value.WhichOneof("value") for each in span.attributes]
    assert kinds == ["string_value", "int_value", "double_value", "bool_value"]
    assert (span.events[0].name, span.status.code, span.kind) == ("barge-in", 2, 3)


def test_many_spans_go_in_requests_of_limited_size() -> None:
    collector = Collector()
    exporter = collector.exporter()
    exporter.add([a_span(number + 1) for number in range(MAX_BATCH + 1)])
    exporter.close()
    sizes = [len(sent(request).resource_spans[0].scope_spans[0].spans) for request in collector.requests]
    assert sizes == [MAX_BATCH, 1]


@pytest.mark.parametrize("collector", [Collector(503, 429), Collector(502, problem=httpx.ConnectError("away"))])
def test_a_collector_that_is_away_for_a_moment_gets_it_later(collector: Collector) -> None:
    exporter = collector.exporter()
    exporter.add([a_span()])
    exporter.close()
    assert len({request.content for request in collector.requests}) == 1
    assert (len(collector.requests), collector.paused, collector.dropped) == (3, [1.0, 2.0], [])


def test_what_is_never_taken_is_given_up_and_the_next_is_sent() -> None:
    collector = Collector(503, 503, 503, 503)
    exporter = collector.exporter()
    exporter.add([a_span(1), a_span(2)])
    exporter.add([a_span(3)])
    exporter.close()
    assert (len(collector.requests), collector.dropped) == (5, [2])


def test_what_the_collector_does_not_understand_is_not_sent_again() -> None:
    collector = Collector(400)
    exporter = collector.exporter()
    exporter.add([a_span()])
    exporter.close()
    assert (len(collector.requests), collector.paused, collector.dropped) == (1, [], [1])


def test_spans_beyond_the_limit_are_dropped_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "MAX_WAITING", 2)
    asked, goes_on, dropped = threading.Event(), threading.Event(), list[int]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.set()
        assert goes_on.wait(5)
        return httpx.Response(200)

    exporter = OtlpExporter("http://c", on_dropped=dropped.append, transport=httpx.MockTransport(answer))
    exporter.add([a_span()])
    assert asked.wait(5)  # from here on nothing leaves the queue
    for _ in range(4):
        exporter.add([a_span()])
    assert dropped == [1, 1]
    goes_on.set()
    exporter.close()
