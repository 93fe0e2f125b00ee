"""What a caller gets when workers die, stall or refuse; the workers are played."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.failover import Failover, WorkerLost
from models.errors import ProviderError
from providers.roles import SHED, SpeechAudio, SttKind, SttRequest, Transcript

AUDIO = SpeechAudio(b"\xff" * 800, 8_000, 0.1)
WORDS = Transcript("yes please", 0.9, backlog_ms=10.0)
BUSY = Refusal("too many utterances are waiting", retryable=True)


def request(kind: SttKind = SttKind.FINAL, *, revision: int = 1) -> SttRequest:
    return SttRequest("call", 1, revision, kind, AUDIO)


@dataclass
class FakeWorker:
    """Plays its script, the last line again and again: an answer, an error, or an event to wait for for ever."""

    script: list[Transcript | Refusal | type[WorkerLost] | asyncio.Event]
    asked: list[SttRequest] = field(default_factory=list)
    cancelled: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        self.asked.append(request)
        self.was_asked.set()
        line = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(line, asyncio.Event):
            try:
                await line.wait()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            return WORDS
        if isinstance(line, Transcript | Refusal):
            return line
        raise line


def failover(
    *workers: FakeWorker, timeout_s: float = 5.0, is_patient: bool = True, pauses: Callable[[], None] = lambda: None
) -> Failover:
    async def pause(seconds: float) -> None:
        pauses()
        await asyncio.sleep(0)

    hedge_s = None if is_patient else 0.0
    return Failover(workers, timeout_s=timeout_s, hedge_s=hedge_s, pause=pause)


async def test_one_worker_answers_and_the_others_are_left_alone() -> None:
    first, second = FakeWorker([WORDS]), FakeWorker([WORDS])
    assert await failover(first, second).transcribe(request()) == WORDS
    assert (len(first.asked), len(second.asked)) == (1, 0)


async def test_a_request_that_a_worker_died_over_is_sent_to_another() -> None:
    dead, alive = FakeWorker([WorkerLost]), FakeWorker([WORDS])
    stt = failover(dead, alive)
    assert await stt.transcribe(request()) == WORDS
    assert alive.asked == dead.asked
    assert await stt.transcribe(request()) == WORDS
    assert len(dead.asked) == 1


async def test_the_only_worker_is_asked_until_it_has_restarted() -> None:
    pauses: list[None] = []
    worker = FakeWorker([WorkerLost, WorkerLost, WorkerLost, WORDS])
    assert await failover(worker, pauses=lambda: pauses.append(None)).transcribe(request()) == WORDS
    assert len(pauses) == 3


async def test_requests_of_the_same_moment_are_spread() -> None:
    workers = FakeWorker([WORDS]), FakeWorker([WORDS])
    stt = failover(*workers)
    await asyncio.gather(*(stt.transcribe(replace(request(), call=f"call{number}")) for number in range(20)))
    assert min(len(worker.asked) for worker in workers) >= 8


async def test_when_an_answer_is_overdue_another_worker_is_asked_as_well() -> None:
    stalled, alive = FakeWorker([asyncio.Event()]), FakeWorker([WORDS])
    stt = failover(stalled, alive, is_patient=False)
    assert await stt.transcribe(request()) == WORDS
    assert stalled.cancelled == 1
    assert await stt.transcribe(request(revision=2)) == WORDS
    assert len(stalled.asked) == 1  # it rests


async def test_the_first_of_two_answers_counts() -> None:
    opened = asyncio.Event()
    slow, stalled = FakeWorker([opened]), FakeWorker([asyncio.Event()])
    asked = asyncio.create_task(failover(slow, stalled, is_patient=False).transcribe(request()))
    await stalled.was_asked.wait()
    opened.set()
    assert await asked == WORDS
    assert stalled.cancelled == 1


async def test_when_everything_is_overdue_most_of_what_is_sent_ahead_just_waits() -> None:
    opened = asyncio.Event()
    first, second = FakeWorker([opened]), FakeWorker([opened])
    stt = failover(first, second, is_patient=False)
    asked = [asyncio.create_task(stt.transcribe(request(SttKind.SPEC, revision=number))) for number in range(10)]
    for _ in range(50):
        await asyncio.sleep(0)
    opened.set()
    assert await asyncio.gather(*asked) == [WORDS] * 10
    assert len(first.asked) + len(second.asked) <= 10 + 3


async def test_every_final_is_sent_again_when_its_worker_is_silent() -> None:
    """As when a node has died, and Ray does not know yet."""
    silent, alive = FakeWorker([asyncio.Event()]), FakeWorker([WORDS])
    stt = failover(silent, alive, is_patient=False)
    lost = [asyncio.create_task(stt.transcribe(request(revision=number))) for number in range(10)]
    assert await asyncio.gather(*lost) == [WORDS] * 10
    assert silent.cancelled == len(silent.asked) > 3


async def test_a_silent_worker_is_left_alone_also_by_a_final_whose_speculation_is_there() -> None:
    silent, alive = FakeWorker([asyncio.Event()]), FakeWorker([WORDS])
    stt = failover(silent, alive, is_patient=False)
    ahead = [asyncio.create_task(stt.transcribe(request(SttKind.SPEC, revision=number))) for number in range(10)]
    for _ in range(20):
        await asyncio.sleep(0)
    there = len(silent.asked)
    waiting = [number for number, spec in enumerate(ahead) if not spec.done()]
    assert waiting, "there is no budget for all of them"
    assert await asyncio.gather(*(stt.transcribe(request(revision=number)) for number in waiting))
    assert len(silent.asked) == there
    for spec in ahead:
        spec.cancel()
    await asyncio.gather(*ahead, return_exceptions=True)


async def test_nobody_is_asked_twice_for_a_partial() -> None:
    stalled, other = FakeWorker([asyncio.Event()]), FakeWorker([WORDS])
    answer = await failover(stalled, other, is_patient=False, timeout_s=0.01).transcribe(request(SttKind.PARTIAL))
    assert answer.rejected == SHED
    assert not other.asked


async def test_a_worker_with_a_full_queue_is_left_for_another() -> None:
    full, alive = FakeWorker([BUSY]), FakeWorker([WORDS])
    assert await failover(full, alive).transcribe(request()) == WORDS


async def test_when_all_are_full_the_caller_hears_of_it() -> None:
    with pytest.raises(ProviderError, match="too many") as caught:
        await failover(FakeWorker([BUSY]), FakeWorker([BUSY])).transcribe(request())
    assert caught.value.retryable


async def test_what_one_refuses_for_good_no_other_is_asked() -> None:
    other = FakeWorker([WORDS])
    with pytest.raises(ProviderError, match="may last") as caught:
        await failover(FakeWorker([Refusal("may last 29 s", retryable=False)]), other).transcribe(request())
    assert not caught.value.retryable
    assert not other.asked


async def test_a_final_that_comes_too_late_is_an_error() -> None:
    worker = FakeWorker([asyncio.Event()])
    with pytest.raises(ProviderError, match="in time") as caught:
        await failover(worker, timeout_s=0.01).transcribe(request())
    assert caught.value.retryable
    assert worker.cancelled == 1


@pytest.mark.parametrize("kind", [SttKind.SPEC, SttKind.PARTIAL])
async def test_anything_else_that_comes_too_late_counts_as_shed(kind: SttKind) -> None:
    answer = await failover(FakeWorker([asyncio.Event()]), timeout_s=0.01).transcribe(request(kind))
    assert (answer.text, answer.rejected) == ("", SHED)


async def test_a_final_goes_where_its_speculation_is() -> None:
    opened = asyncio.Event()
    first, second = FakeWorker([opened, WORDS]), FakeWorker([WORDS])
    stt = failover(first, second)
    spec = asyncio.create_task(stt.transcribe(request(SttKind.SPEC)))
    others = [asyncio.create_task(stt.transcribe(request(SttKind.SPEC, revision=9))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await stt.transcribe(request()) == WORDS
    assert first.asked[-1] == request()
    opened.set()
    await asyncio.gather(spec, *others)
