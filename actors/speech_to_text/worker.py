"""The speech-to-text worker: one engine, one queue, any number of calls. A shell of Ray around `dispatcher.py`.

It keeps nothing between requests: any worker can answer any request, and a restart loses only what was in flight,
which its callers ask again.
"""

import logging
import time
from typing import Any

import ray

from actors import metrics
from actors.speech_to_text.answers import Health, Refusal, worker_names
from actors.speech_to_text.dispatcher import Dispatcher
from actors.speech_to_text.jobs import Limits
from models.settings import Settings
from providers.roles import SttRequest, Transcript
from providers.stt import window
from providers.stt.whisper import Whisper

REQUESTS_AT_ONCE = 4_096
LOGICAL_CPU = 0.01

log = logging.getLogger(__name__)


class SpeechToText:
    """The actor's class."""

    def __init__(self, settings: Settings) -> None:
        started = time.monotonic()
        metrics.export()
        limits = Limits.for_device(settings.stt_device, threads=settings.stt_threads, buckets=window.BUCKETS)
        engine = Whisper(
            settings.stt_model_path,
            device=settings.stt_device,
            compute_type=settings.stt_compute_type,
            threads=limits.slots,
        )
        self._model = settings.stt_model
        self._dispatcher = Dispatcher(engine, limits)
        for frames, batch in self._dispatcher.on_every_thread(engine.warm_up)[0]:
            is_thorough = frames == window.LONGEST
            self._dispatcher.scheduler.costs.learn(frames, 1, batch.encode_ms, batch.decode_ms, is_thorough=is_thorough)
        log.info("speech to text ready", extra={"model": self._model, "load_s": time.monotonic() - started})

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        """The words, or why not, within `deadline_s` from now."""
        return await self._dispatcher.transcribe(request, deadline_s)

    async def health(self) -> Health:
        """How it is doing, what it costs and whether new calls should come."""
        return self._dispatcher.health(self._model)


def options(settings: Settings) -> dict[str, Any]:
    """What Ray is told of each worker.

    On a GPU, one worker and nothing else; GPU nodes need offer no CPU. Otherwise on the nodes that offer CPUs, which
    keeps workers off a head that only looks after the others. Their share is next to nothing: on a small machine the
    calls around it need theirs, and `stt_threads` says what a worker may really use.

    Callers repeat what a dying worker leaves unanswered, here or elsewhere, so Ray repeats nothing. OMP_NUM_THREADS
    keeps the math library's own pool, next to ours, from growing.
    """
    is_on_gpu = settings.stt_device != "cpu"
    return {
        "namespace": settings.ray_namespace,
        "get_if_exists": True,
        "lifetime": "detached",
        "max_concurrency": REQUESTS_AT_ONCE,
        "max_restarts": -1,
        "max_task_retries": 0,
        "num_cpus": 0 if is_on_gpu else LOGICAL_CPU,
        "num_gpus": 1 if is_on_gpu else 0,
        "scheduling_strategy": "SPREAD",
        "runtime_env": {"env_vars": {"OMP_NUM_THREADS": "1"}},
    }


def start(settings: Settings) -> list[Any]:
    """The handles of `stt_workers` workers, each started (and its model loaded) unless it runs already."""
    actor, each = ray.remote(SpeechToText), options(settings)
    return [actor.options(name=name, **each).remote(settings) for name in worker_names(settings.stt_workers)]
