"""What a worker tells of itself: recognised, shed, waiting, and how long it all took."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from actors.speech_to_text import dispatcher as dispatching
from actors.speech_to_text.dispatcher import Dispatcher
from actors.speech_to_text.jobs import Limits
from tests.numbers import Numbers, counted
from tests.speech_to_text.jobs import BUCKETS, FINAL, PARTIAL, SPEC
from tests.speech_to_text.test_dispatcher import FakeEngine, asking, request, started


@pytest.fixture
def numbers() -> Iterator[Numbers]:
    with counted() as found:
        yield found


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def dispatcher(engine: FakeEngine, numbers: Numbers) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(engine, Limits(1, 8, 250.0, BUCKETS, waiting=20))
    yield made
    engine.permits.release(1_000)
    made.close()
    await asyncio.sleep(0)  # what the threads left to do


async def test_each_utterance_counts_under_its_kind_and_each_batch_once(
    dispatcher: Dispatcher, engine: FakeEngine, numbers: Numbers
) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call=str(number))) for number in range(4)]
    tasks.append(asking(dispatcher, request(SPEC, call="another")))
    await started(*tasks)
    engine.permits.release(10)
    await asyncio.gather(*tasks)
    assert len(numbers.of("stt_decoded_total", kind="final")) == 4
    assert len(numbers.of("stt_decoded_total", kind="spec")) == 1
    assert numbers.of("stt_decode_ms") == [3.0] * len(engine.batches)
    waits = numbers.of("stt_queue_ms")
    assert len(waits) == 5
    assert min(waits) >= 0


async def test_silence_counts_although_nothing_is_decoded(dispatcher: Dispatcher, numbers: Numbers) -> None:
    await dispatcher.transcribe(request(SPEC, samples=0), 5.0)
    assert (numbers.of("stt_decoded_total", kind="spec"), numbers.of("stt_decode_ms")) == ([1.0], [])


async def test_a_replaced_partial_counts_as_shed(dispatcher: Dispatcher, engine: FakeEngine, numbers: Numbers) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call="other"))]
    await started(*tasks)
    tasks += [asking(dispatcher, request(PARTIAL, revision=revision)) for revision in (1, 2)]
    await tasks[1]
    engine.permits.release(10)
    await asyncio.gather(*tasks)
    assert numbers.of("stt_shed_total") == numbers.of("stt_shed_total", kind="partial") == [1.0]


async def test_the_queue_is_told_until_it_is_empty_again(
    dispatcher: Dispatcher, engine: FakeEngine, numbers: Numbers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "TELL_S", 0.0)
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call=str(number))) for number in range(3)]
    await started(*tasks)
    await asyncio.sleep(0)
    assert numbers.of("stt_waiting", kind="final")[-1] == 2  # one is being decoded
    engine.permits.release(10)
    await asyncio.gather(*tasks)
    for _ in range(5):
        await asyncio.sleep(0)
    told = numbers.of("stt_waiting", kind="final")
    assert told[-1] == 0
    await asyncio.sleep(0)
    assert numbers.of("stt_waiting", kind="final") == told
