"""The dispatcher over a played engine: what is asked for comes back once, whatever happens on the way."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.dispatcher import Dispatcher
from actors.speech_to_text.jobs import Limits
from models.errors import ProviderError
from providers.roles import SHED, SpeechAudio, SttKind, SttRequest, Transcript
from providers.stt.gates import Decoded
from providers.stt.whisper import Batch, Sound
from tests.speech_to_text.jobs import BUCKETS, FINAL, PARTIAL, SPEC

GOOD = Decoded("yes please", -0.1, 0.0, False, 1.0)
LOOP = Decoded("no no no no no no no no", -0.1, 0.0, False, 9.0)
DEAD = ProviderError("the engine failed", provider="whisper", retryable=False)


@dataclass
class FakeEngine:
    """Answers with `rows` by the sound's length in samples; every batch waits for a permit."""

    rows: dict[int, Decoded | ProviderError | None] = field(default_factory=dict)
    thorough: Decoded = GOOD
    permits: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1_000))
    batches: list[tuple[int, int, bool]] = field(default_factory=list)

    def prepare(self, audio: SpeechAudio) -> Sound | Transcript:
        if not audio.mulaw:
            return Transcript("", 0.0, rejected="silent")
        if len(audio.mulaw) > 100:
            raise ProviderError("an utterance may last 29 s", provider="whisper", retryable=False)
        return Sound(np.zeros(len(audio.mulaw), np.float32), audio.rate_hz, audio.speech_s, (1, 2), 400, 8)

    def recognise(self, sounds: Sequence[Sound], *, frames: int, is_thorough: bool = False) -> Batch:
        assert self.permits.acquire(timeout=5)
        self.batches.append((len(sounds), frames, is_thorough))
        found = [self.thorough if is_thorough else self.rows.get(len(sound.samples), GOOD) for sound in sounds]
        if None in found:
            raise MemoryError
        return Batch(tuple(row for row in found if row is not None), 1.0, 2.0)


def request(kind: SttKind, *, call: str = "call", revision: int = 1, samples: int = 10) -> SttRequest:
    return SttRequest(call, 1, revision, kind, SpeechAudio(b"\xff" * samples, 8_000, 1.0))


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def dispatcher(engine: FakeEngine) -> AsyncIterator[Dispatcher]:
    made = Dispatcher(engine, Limits(1, 8, 250.0, BUCKETS, waiting=20))
    yield made
    engine.permits.release(1_000)
    made.close()
    await asyncio.sleep(0)  # what the threads left to do


async def started(*tasks: asyncio.Task[Transcript | Refusal]) -> None:
    """Let tasks run until they wait."""
    for _ in range(3):
        await asyncio.sleep(0)


def asking(dispatcher: Dispatcher, asked: SttRequest, deadline_s: float = 5.0) -> asyncio.Task[Transcript | Refusal]:
    return asyncio.create_task(dispatcher.transcribe(asked, deadline_s))


@pytest.mark.parametrize("kind", list(SttKind))
async def test_words_come_with_what_they_cost(dispatcher: Dispatcher, kind: SttKind) -> None:
    answer = await dispatcher.transcribe(request(kind), 5.0)
    assert isinstance(answer, Transcript)
    assert (answer.text, answer.rejected) == ("yes please", None)
    assert 0 < answer.decode_ms <= 3.0
    assert answer.queue_ms >= 0


async def test_what_waits_is_decoded_together(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call=str(number))) for number in range(4)]
    await started(*tasks)
    engine.permits.release(10)
    answers = await asyncio.gather(*tasks)
    assert {answer.text for answer in answers if isinstance(answer, Transcript)} == {"yes please"}
    assert [size for size, _, _ in engine.batches] == [1, 3]


async def test_a_row_the_engine_fails_on_fails_alone(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits, engine.rows[7] = threading.Semaphore(0), DEAD
    tasks = [asking(dispatcher, request(FINAL, call=str(number), samples=number)) for number in (1, 7, 2)]
    await started(*tasks)
    engine.permits.release(10)
    answers = await asyncio.gather(*tasks)
    assert [type(answer) for answer in answers] == [Transcript, Refusal, Transcript]


async def test_an_engine_that_breaks_refuses_the_batch_and_serves_the_next(
    dispatcher: Dispatcher, engine: FakeEngine
) -> None:
    engine.rows[7] = None
    answer = await dispatcher.transcribe(request(FINAL, samples=7), 5.0)
    assert isinstance(answer, Refusal)
    assert answer.retryable
    assert isinstance(await dispatcher.transcribe(request(FINAL), 5.0), Transcript)


@pytest.mark.parametrize("kind", [FINAL, SPEC])
async def test_a_doubtful_answer_is_decoded_again_alone(
    dispatcher: Dispatcher, engine: FakeEngine, kind: SttKind
) -> None:
    engine.rows[10] = LOOP
    answer = await dispatcher.transcribe(request(kind), 5.0)
    assert isinstance(answer, Transcript)
    assert answer.text == "yes please"
    assert engine.batches == [(1, 400, False), (1, 3000, True)]


async def test_a_doubtful_partial_is_not(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.rows[10] = LOOP
    answer = await dispatcher.transcribe(request(PARTIAL), 5.0)
    assert isinstance(answer, Transcript)
    assert (answer.text, answer.rejected) == ("", "looping")
    assert len(engine.batches) == 1


async def test_an_answer_doubtful_twice_is_no_words(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.rows[10] = engine.thorough = LOOP
    answer = await dispatcher.transcribe(request(FINAL), 5.0)
    assert isinstance(answer, Transcript)
    assert (answer.text, answer.rejected) == ("", "looping")


async def test_a_final_shares_the_decoding_of_its_speculation(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(kind)) for kind in (SPEC, FINAL)]
    await started(*tasks)
    engine.permits.release(10)
    answers = await asyncio.gather(*tasks)
    assert [answer.text for answer in answers if isinstance(answer, Transcript)] == ["yes please"] * 2
    assert len(engine.batches) == 1


async def test_a_partial_that_was_replaced_is_told(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call="other"))]
    await started(*tasks)
    tasks += [asking(dispatcher, request(PARTIAL, revision=revision)) for revision in (1, 2)]
    shed = await tasks[1]
    assert isinstance(shed, Transcript)
    assert (shed.text, shed.confidence, shed.rejected) == ("", 0.0, SHED)
    engine.permits.release(10)
    newest = await tasks[2]
    assert isinstance(newest, Transcript)
    assert newest.text == "yes please"


async def test_a_final_in_a_full_queue_is_refused(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call=str(number))) for number in range(21)]
    await started(*tasks)
    refused = await dispatcher.transcribe(request(FINAL, call="one more"), 5.0)
    assert isinstance(refused, Refusal)
    assert refused.retryable
    engine.permits.release(30)
    assert all(isinstance(answer, Transcript) for answer in await asyncio.gather(*tasks))


async def test_a_final_past_its_deadline_is_refused_and_anything_else_shed(
    dispatcher: Dispatcher, engine: FakeEngine
) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(kind, call=kind.name), 0.01) for kind in SttKind]
    final, spec, partial = await asyncio.gather(*tasks)
    assert isinstance(final, Refusal)
    assert "deadline" in final.message
    assert [answer.rejected for answer in (spec, partial) if isinstance(answer, Transcript)] == [SHED, SHED]
    assert dispatcher.health("m").waiting == 0


async def test_whoever_hangs_up_gives_the_place_back(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.permits = threading.Semaphore(0)
    tasks = [asking(dispatcher, request(FINAL, call=str(number))) for number in range(10)]
    await started(*tasks)
    for task in tasks[::2]:
        task.cancel()
    await started(*tasks)
    assert dispatcher.health("m").waiting == 5
    engine.permits.release(10)
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(isinstance(answer, Transcript) for answer in answers[1::2])


async def test_what_needs_no_decoding_is_answered_at_once(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    silent = await dispatcher.transcribe(request(FINAL, samples=0), 5.0)
    overlong = await dispatcher.transcribe(request(FINAL, samples=200), 5.0)
    assert isinstance(silent, Transcript)
    assert silent.rejected == "silent"
    assert overlong == Refusal("an utterance may last 29 s", retryable=False)
    assert not engine.batches


async def test_health_counts_and_exports_what_was_learnt(dispatcher: Dispatcher, engine: FakeEngine) -> None:
    engine.rows[7] = LOOP
    await dispatcher.transcribe(request(FINAL), 5.0)
    await dispatcher.transcribe(request(PARTIAL, samples=7), 5.0)
    await dispatcher.transcribe(request(FINAL, samples=200), 5.0)
    health = dispatcher.health("m")
    counts = health.counts
    assert (counts.decoded, counts.rejected, counts.refused, counts.shed, counts.batches) == (2, 1, 1, 0, 2)
    (cost,) = health.costs
    assert (cost.frames, cost.batch, cost.encode_ms, cost.decode_ms, cost.seen) == (400, 1, 1.0, 2.0, 2)
    assert (health.busy, health.slots, health.waiting, health.backlog_ms) == (0, 1, 0, 0.0)
    assert health.finals_per_s > 100
    assert health.is_admitting
