"""Keeps the engine busy: requests wait in the scheduler, batches run on threads, answers find their callers.

All state belongs to one event loop; the engine's threads see only the sounds of their batch.
"""

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol

from actors.speech_to_text.answers import Counts, Health, Refusal
from actors.speech_to_text.jobs import Batch, Job, Limits, Ticket
from actors.speech_to_text.scheduler import QueueFull, Scheduler
from models.errors import ProviderError
from providers.roles import SHED, SpeechAudio, SttKind, SttRequest, Transcript
from providers.stt import window
from providers.stt.whisper import Batch as Decodings, Sound, judged
from services import meters

TYPICAL_SOUND_S = 3.0
TELL_S = 1.0
"""How often the length of the queue is told, while there is one."""

log = logging.getLogger(__name__)


class Engine(Protocol):
    """What decodes; see `providers.stt.whisper.Whisper`."""

    def prepare(self, audio: SpeechAudio) -> Sound | Transcript:
        """Ready for a batch, or the answer at once; raises ProviderError."""

    def recognise(self, sounds: Sequence[Sound], *, frames: int, is_thorough: bool = False) -> Decodings:
        """Decode a batch; blocks."""


@dataclass(slots=True)
class _Asked:
    """Somebody waits."""

    answer: asyncio.Future[Transcript | Refusal]
    kind: SttKind
    arrived: float
    decode_ms: float = 0.0


class Dispatcher:
    """One per worker. Made outside of a loop, used in one."""

    def __init__(self, engine: Engine, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.scheduler = Scheduler(limits)
        self._engine = engine
        self._clock = clock
        self._pool = ThreadPoolExecutor(limits.slots, thread_name_prefix="decode")
        self._tickets = itertools.count(1)
        self._asked: dict[Ticket, _Asked] = {}
        self._look: asyncio.TimerHandle | None = None
        self._tell: asyncio.TimerHandle | None = None
        self._counts = Counts()

    def on_every_thread(self, work: Callable[[], Any]) -> list[Any]:
        """Run `work` once for each thread and wait; before the first request."""
        return [each.result() for each in [self._pool.submit(work) for _ in range(self.scheduler.limits.slots)]]

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        """The words, or why not, within `deadline_s` from now."""
        try:
            sound = self._engine.prepare(request.audio)
        except ProviderError as error:
            return self._refuse(error.message, retryable=error.retryable)
        if isinstance(sound, Transcript):
            self._count_decoded(request.kind, is_rejected=True)
            return replace(sound, backlog_ms=self.scheduler.backlog_ms())
        now = self._clock()
        job = self._job(request, sound, now, now + deadline_s)
        asked = self._asked[job.ticket] = _Asked(asyncio.get_running_loop().create_future(), request.kind, now)
        try:
            self._tell_shed(self.scheduler.offer(job, now))
            self._tell_waiting_soon()
            self._dispatch()
            async with asyncio.timeout(deadline_s):
                return await asked.answer
        except QueueFull:
            return self._refuse("too many utterances are waiting", retryable=True)
        except TimeoutError:
            return self._late(request.kind)
        finally:
            self.scheduler.withdraw(job.ticket)
            del self._asked[job.ticket]

    def health(self, model: str) -> Health:
        """How it is doing."""
        now, scheduler = self._clock(), self.scheduler
        return Health(
            model=model,
            busy=scheduler.limits.slots - scheduler.free,
            slots=scheduler.limits.slots,
            waiting=scheduler.waiting,
            backlog_ms=scheduler.backlog_ms(),
            utilisation=scheduler.load.utilisation(now),
            final_queue_p95_ms=scheduler.load.final_queue_p95_ms(now),
            is_admitting=scheduler.load.is_admitting(now),
            finals_per_s=scheduler.finals_per_s(window.frames_for(TYPICAL_SOUND_S)),
            counts=self._counts,
            costs=tuple(scheduler.costs.rows()),
        )

    def close(self) -> None:
        """Wait for what is being decoded; nothing may be asked any more."""
        self._pool.shutdown()

    # --- private, in call order -------------------------------------------------------------------------
    def _job(self, request: SttRequest, sound: Sound, now: float, deadline: float) -> Job:
        return Job(
            ticket=Ticket(next(self._tickets)),
            call=request.call,
            utterance=request.utterance,
            revision=request.revision,
            asked_as=request.kind,
            frames=sound.frames,
            prompt=len(sound.prompt),
            arrived=now,
            deadline=deadline,
            sound=sound,
        )

    def _dispatch(self) -> None:
        """Start whatever may start now."""
        while True:
            step = self.scheduler.next(self._clock())
            self._tell_shed(step.shed)
            if step.look_at is not None:
                self._look_again(step.look_at)
            if step.batch is None:
                return
            self._start(step.batch)

    def _look_again(self, at: float) -> None:
        if self._look is not None:
            self._look.cancel()
        self._look = asyncio.get_running_loop().call_later(max(0.0, at - self._clock()), self._dispatch)

    def _start(self, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        sounds = [job.sound for job in batch.jobs if isinstance(job.sound, Sound)]
        running = self._pool.submit(self._engine.recognise, sounds, frames=batch.frames, is_thorough=batch.is_thorough)
        running.add_done_callback(lambda done: loop.call_soon_threadsafe(self._finish, batch, done))

    def _finish(self, batch: Batch, done: Future[Decodings]) -> None:
        """Give the slot back, then answer or decode again."""
        now = self._clock()
        decodings = self._result(batch, done)
        self.scheduler.finish(batch, decodings.encode_ms, decodings.decode_ms, now)
        self._count(batches=1)
        meters.observe("stt_decode_ms", decodings.encode_ms + decodings.decode_ms)
        for job, row in zip(batch.jobs, decodings.rows, strict=True):
            asked = [self._asked[ticket] for ticket in job.tickets() if ticket in self._asked]
            for each in asked:
                each.decode_ms += decodings.encode_ms + decodings.decode_ms
            if isinstance(row, ProviderError):
                self._answer(asked, Refusal(row.message, row.retryable), now)
                continue
            transcript = judged(row, decode_ms=0.0)
            if transcript.rejected is None or not asked or not self.scheduler.retry(job, now):
                self._answer(asked, transcript, now)
        self._dispatch()

    def _result(self, batch: Batch, done: Future[Decodings]) -> Decodings:
        error = done.exception()
        if error is None:
            return done.result()
        log.error("the engine broke over a batch", exc_info=error, extra={"call_ids": [job.call for job in batch.jobs]})
        failure = ProviderError("the engine failed", provider="whisper", retryable=True)
        return Decodings((failure,) * len(batch.jobs), 0.0, batch.predicted_ms)

    def _answer(self, asked: Sequence[_Asked], answer: Transcript | Refusal, now: float) -> None:
        backlog_ms = self.scheduler.backlog_ms()
        for each in asked:
            if each.answer.done():  # being cancelled at this moment
                continue
            if isinstance(answer, Refusal):
                self._count(refused=1)
                each.answer.set_result(answer)
                continue
            self._count_decoded(each.kind, is_rejected=answer.rejected is not None)
            total_ms = (now - each.arrived) * 1000
            decode_ms = min(each.decode_ms, total_ms)  # less than the batch for one who joined it late
            timed = replace(answer, decode_ms=decode_ms, queue_ms=total_ms - decode_ms, backlog_ms=backlog_ms)
            meters.observe("stt_queue_ms", timed.queue_ms, kind=_word(each.kind))
            each.answer.set_result(timed)

    def _tell_shed(self, tickets: Sequence[Ticket]) -> None:
        for ticket in tickets:
            asked = self._asked.get(ticket)
            if asked is not None and not asked.answer.done():
                asked.answer.set_result(self._shed(asked.kind, (self._clock() - asked.arrived) * 1000))

    def _late(self, kind: SttKind) -> Transcript | Refusal:
        return self._refuse("the deadline passed", retryable=True) if kind is SttKind.FINAL else self._shed(kind, 0.0)

    def _shed(self, kind: SttKind, queue_ms: float) -> Transcript:
        self._count(shed=1)
        meters.count("stt_shed_total", kind=_word(kind))
        return Transcript("", 0.0, rejected=SHED, queue_ms=queue_ms, backlog_ms=self.scheduler.backlog_ms())

    def _refuse(self, message: str, *, retryable: bool) -> Refusal:
        self._count(refused=1)
        return Refusal(message, retryable)

    def _count_decoded(self, kind: SttKind, *, is_rejected: bool) -> None:
        self._count(decoded=1, rejected=int(is_rejected))
        meters.count("stt_decoded_total", kind=_word(kind))

    def _tell_waiting_soon(self) -> None:
        if self._tell is None:
            self._tell = asyncio.get_running_loop().call_later(TELL_S, self._tell_waiting)

    def _tell_waiting(self) -> None:
        """And again until the queue was told to be empty, so that the last word is never an old length."""
        self._tell = None
        waiting = self.scheduler.waiting_by_kind()
        for kind, requests in waiting.items():
            meters.set_to("stt_waiting", requests, kind=_word(kind))
        if any(waiting.values()):
            self._tell_waiting_soon()

    def _count(self, **more: int) -> None:
        self._counts = replace(self._counts, **{name: getattr(self._counts, name) + add for name, add in more.items()})


def _word(kind: SttKind) -> str:
    return kind.name.lower()
