"""The speech-to-text worker: one engine, one queue, a few decoding threads, any number of calls. A shell of Ray.

It keeps nothing between requests: any worker can answer any request, and a restart loses only what was in flight.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import ray

from actors.speech_to_text.answers import Health, Refusal
from actors.speech_to_text.scheduler import Scheduler, Ticket, Verdict
from models.errors import ProviderError
from models.settings import Settings
from providers.roles import SpeechAudio, Transcript
from providers.stt.whisper import Whisper

NAME = "speech_to_text"
WAITING_PER_THREAD = 64
"""More than this cannot be served in time by any model worth running."""

log = logging.getLogger(__name__)


class SpeechToText:
    """The actor's class; times are monotonic seconds of this process."""

    def __init__(self, settings: Settings) -> None:
        started = time.monotonic()
        threads = settings.stt_threads
        self._model = settings.stt_model
        self._engine = Whisper(
            settings.stt_model_path, device=settings.stt_device, compute_type=settings.stt_compute_type, threads=threads
        )
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        for warming in [self._pool.submit(self._engine.warm_up) for _ in range(threads)]:
            warming.result()
        self._scheduler = Scheduler(turns=threads, limit=WAITING_PER_THREAD * threads)
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._decoded = self._rejected = self._refused = 0
        log.info("speech to text ready", extra={"model": self._model, "load_s": time.monotonic() - started})

    async def transcribe(self, audio: SpeechAudio, deadline_s: float) -> Transcript | Refusal:
        """The words, or why not, within `deadline_s` from now."""
        arrived = time.monotonic()
        deadline = arrived + deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                await self._turn(deadline)
                queue_ms = (time.monotonic() - arrived) * 1000
                decoding = self._decode(audio, deadline)
                transcript = await asyncio.shield(decoding)
        except TimeoutError:
            return self._refuse("the deadline passed", retryable=True)
        except _QueueFull:
            return self._refuse("too many utterances are waiting", retryable=True)
        except ProviderError as error:
            return self._refuse(error.message, retryable=error.retryable)
        self._decoded += 1
        self._rejected += transcript.rejected is not None
        return replace(transcript, queue_ms=queue_ms)

    async def health(self) -> Health:
        """How it is doing."""
        return Health(
            model=self._model,
            busy=self._threads - self._scheduler.free,
            threads=self._threads,
            waiting=self._scheduler.waiting,
            decoded=self._decoded,
            rejected=self._rejected,
            refused=self._refused,
        )

    async def _turn(self, deadline: float) -> None:
        """Wait for a turn; from its return on, the turn is the caller's to use at once."""
        ticket, verdict = self._scheduler.join(deadline)
        if verdict is Verdict.FULL:
            raise _QueueFull
        if verdict is Verdict.QUEUED:
            granted = self._turns[ticket] = asyncio.get_running_loop().create_future()
            try:
                await granted
            except asyncio.CancelledError:
                if granted.done() and not granted.cancelled():  # granted in the same moment: pass it on
                    self._finish()
                raise
            finally:
                self._scheduler.leave(ticket)
                del self._turns[ticket]

    def _decode(self, audio: SpeechAudio, deadline: float) -> asyncio.Future[Transcript]:
        """Start decoding; the turn ends with the thread, even if nobody waits for the words any longer."""
        loop = asyncio.get_running_loop()
        decoding = self._pool.submit(self._engine.transcribe, audio, is_late=lambda: time.monotonic() >= deadline)
        decoding.add_done_callback(lambda _: loop.call_soon_threadsafe(self._finish))
        return asyncio.wrap_future(decoding)

    def _finish(self) -> None:
        """Pass a turn on. Whoever is being cancelled at this moment still waits for the scheduler, but not for us."""
        while (ticket := self._scheduler.finish(time.monotonic())) is not None:
            if not self._turns[ticket].done():
                self._turns[ticket].set_result(None)
                return

    def _refuse(self, message: str, *, retryable: bool) -> Refusal:
        self._refused += 1
        return Refusal(message, retryable)


class _QueueFull(Exception):
    """Nothing more can be queued."""


def start(settings: Settings) -> Any:
    """The handle of the worker named NAME, started (and its model loaded) if there is none.

    A request is the same the second time, so Ray repeats it when the worker dies over it; the caller's deadline bounds
    that. It claims no CPU from Ray: on a small machine the calls around it need theirs, and `stt_threads` says its
    share. OMP_NUM_THREADS keeps the math library's own pool, next to ours, from growing.
    """
    options: dict[str, Any] = {
        "name": NAME,
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_concurrency": 1000,
        "max_restarts": -1,
        "max_task_retries": -1,
        "num_cpus": 0,
        "num_gpus": 1 if settings.stt_device == "cuda" else 0,
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}},
    }
    return ray.remote(SpeechToText).options(**options).remote(settings)
