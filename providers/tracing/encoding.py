"""Spans as the body of an OTLP request, in protobuf. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from providers.tracing.spans import SpanData, SpanEvent, Value

SERVICE = "callboard"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {"server": Span.SPAN_KIND_SERVER, "client": Span.SPAN_KIND_CLIENT, "internal": Span.SPAN_KIND_INTERNAL}


def encoded(spans: Sequence[SpanData]) -> bytes:
    """The body; all spans are the product's, under one resource."""
    resource = Resource(attributes=_attributes({"service.name": SERVICE}))
    scope = ScopeSpans(scope=InstrumentationScope(name=SERVICE), spans=[_span(span) for span in spans])
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scope])])
    body: bytes = request.SerializeToString()
    return body


def _span(span: SpanData) -> Span:
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_span_id=span.parent_id or b"",
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=_nanoseconds(span.start),
        end_time_unix_nano=_nanoseconds(span.end),
        attributes=_attributes(span.attributes),
        events=_events(span.events),
        status=Status(code=Status.STATUS_CODE_ERROR if span.has_failed else Status.STATUS_CODE_UNSET),
    )


def _events(events: Iterable[SpanEvent]) -> list[Span.Event]:
    return [
        Span.Event(name=event.name, time_unix_nano=_nanoseconds(event.at), attributes=_attributes(event.attributes))
        for event in events
    ]


def _attributes(values: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in values.items()]


def _any(value: Value) -> AnyValue:
    match value:
        case bool():  # before int, which it is too
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)


def _nanoseconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000
