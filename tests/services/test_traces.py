"""Traces are made when a log is closed, where the settings say so, and are never a call's trouble."""

import logging
from collections.abc import Iterator, Sequence

import pytest

from models.call import Call
from models.document import new_id
from models.settings import Settings
from providers.tracing.spans import SpanData
from services import traces
from tests.documents import a_call


class Kept:
    """Keeps spans, or breaks over them."""

    def __init__(self, *, breaks: bool = False) -> None:
        self.spans: list[SpanData] = []
        self._breaks = breaks

    def add(self, spans: Sequence[SpanData]) -> None:
        """Keep these."""
        if self._breaks:
            raise RuntimeError("no")
        self.spans += spans


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    traces.use(None)
    yield
    traces.use(None)


@pytest.fixture
def call() -> Call:
    return a_call(new_id())


def test_without_a_collector_nothing_is_made(call: Call) -> None:
    traces.begin(Settings(_env_file=None))
    traces.ended(call)
    assert traces._exporter is None


def test_a_call_that_is_over_goes_to_the_exporter(call: Call) -> None:
    kept = Kept()
    traces.use(kept)
    traces.ended(call)
    assert [span.name for span in kept.spans] == ["conversation"]


def test_an_exporter_that_breaks_does_not_break_the_call(call: Call, caplog: pytest.LogCaptureFixture) -> None:
    traces.use(Kept(breaks=True))
    with caplog.at_level(logging.ERROR):
        traces.ended(call)
    assert [record.getMessage() for record in caplog.records] == ["a call's trace could not be made"]


def test_a_process_that_has_an_exporter_keeps_it() -> None:
    kept = Kept()
    traces.use(kept)
    traces.begin(Settings(_env_file=None, otel_endpoint="http://127.0.0.1:9"))
    assert traces._exporter is kept
