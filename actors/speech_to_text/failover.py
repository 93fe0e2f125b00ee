"""One recognition at several workers: routed to the least busy, sent again elsewhere when a worker dies or stalls.

Ray takes about two seconds to tell of a dead worker, so a request is also sent again when its answer is overdue; the
first answer counts and the other request is cancelled.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.routing import Routing
from models.errors import ProviderError
from providers.roles import SHED, SttKind, SttRequest, Transcript

PAUSE_S = 0.1
"""Between rounds, when no worker could be asked: one is restarting."""


class WorkerLost(Exception):
    """The worker died over a request, or is not there."""


class Worker(Protocol):
    """One worker as a caller sees it."""

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        """Its answer; raises WorkerLost. Cancelling gives the request's place in the queue back."""


_Words = tuple[str, int, int]
"""Call, utterance and revision: a FINAL for those of a SPEC that is under way shares its decoding, if at one worker."""


class Failover:
    """Satisfies `roles.Stt`. `timeout_s` bounds a recognition, all attempts and a worker's restart included.

    A request is the same the second time, so it is sent again without asking what became of the first. `hedge_s` is a
    fixed time after which an answer is overdue, in place of one learnt from the answers so far.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        *,
        timeout_s: float,
        first: int = 0,
        hedge_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._workers = workers
        self._timeout_s = timeout_s
        self._routing = Routing(len(workers), first=first)
        self._hedge_s = hedge_s
        self._clock = clock
        self._pause = pause
        self._asked: dict[_Words, int] = {}

    async def transcribe(self, request: SttRequest) -> Transcript:
        """The words of one utterance so far, or ProviderError; only a FINAL that comes too late is an error."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._ask(request, self._clock() + self._timeout_s)
        except TimeoutError as error:
            if request.kind is not SttKind.FINAL:
                return Transcript(text="", confidence=0.0, rejected=SHED)
            raise _failure("speech to text did not answer in time", retryable=True) from error
        if isinstance(answer, Refusal):
            raise _failure(answer.message, retryable=answer.retryable)
        return answer

    async def _ask(self, request: SttRequest, deadline: float) -> Transcript | Refusal:
        """Ask one worker, and another whenever one is lost or slow, until one answers; a timeout or that ends it."""
        tried: set[int] = set()
        running: set[asyncio.Task[Transcript | Refusal | None]] = set()
        words = request.call, request.utterance, request.revision
        try:
            while True:
                worker = self._routing.choose(self._clock(), without=tried, beside=self._asked.get(words))
                tried.add(worker)
                running.add(self._send(worker, request, deadline - self._clock()))
                is_last = len(tried) == len(self._workers)
                is_hedged = not is_last and request.kind is not SttKind.PARTIAL
                patience_s = self._overdue_s(worker) if is_hedged else None
                answer = await self._first(running, patience_s)
                if answer is None and running:
                    self._routing.failed(worker, self._clock())  # whoever comes next asks another
                    while answer is None and running and not self._may_hedge(request):
                        answer = await self._first(running, patience_s)
                if answer is not None and (isinstance(answer, Transcript) or is_last or not answer.retryable):
                    return answer
                if is_last:
                    tried.clear()
                    await self._pause(PAUSE_S)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _may_hedge(self, request: SttRequest) -> bool:
        """A caller waits for a FINAL, and there is one for each turn; what is sent ahead of it keeps to a budget."""
        return self._routing.hedge() or request.kind is SttKind.FINAL

    def _overdue_s(self, worker: int) -> float:
        return self._routing.patience_s(worker) if self._hedge_s is None else self._hedge_s

    async def _first(
        self, running: set[asyncio.Task[Transcript | Refusal | None]], patience_s: float | None
    ) -> Transcript | Refusal | None:
        """The first answer, or the last refusal of all that run; None when it takes longer or all of them are lost."""
        answer = None
        while running:
            done, _ = await asyncio.wait(running, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                return answer
            running -= done
            for task in done:
                answer = task.result() or answer
                if isinstance(answer, Transcript):
                    return answer
        return answer

    def _send(self, number: int, request: SttRequest, left_s: float) -> asyncio.Task[Transcript | Refusal | None]:
        """Ask a worker. It counts as asked from now on: others who choose before the task has begun must know."""
        words = request.call, request.utterance, request.revision
        self._routing.sent(number)
        self._asked[words] = number

        def over(task: asyncio.Task[Transcript | Refusal | None]) -> None:
            self._routing.returned(number)
            self._asked.pop(words, None)

        task = asyncio.create_task(self._ask_one(number, request, left_s))
        task.add_done_callback(over)
        return task

    async def _ask_one(self, number: int, request: SttRequest, left_s: float) -> Transcript | Refusal | None:
        """Its answer; None: it died over the request."""
        try:
            answer = await self._workers[number].transcribe(request, left_s)
        except WorkerLost:
            self._routing.failed(number, self._clock())
            return None
        if isinstance(answer, Transcript):
            self._routing.told(number, answer, self._clock())
        return answer


def _failure(message: str, *, retryable: bool) -> ProviderError:
    return ProviderError(message, provider="speech_to_text", retryable=retryable)
