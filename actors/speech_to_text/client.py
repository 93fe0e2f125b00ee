"""A call actor's way to the speech-to-text workers: satisfies `roles.Stt` over Ray handles."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import ActorDiedError, RayError, RayTaskError

from actors.speech_to_text.answers import Refusal, worker_names
from actors.speech_to_text.failover import Failover, WorkerLost
from providers.roles import SttRequest, Transcript


class RayStt:
    """One for all utterances of a process, which start at different workers in different processes.

    `workers` are the handles of all of them in the order of `worker_names`; one that was replaced, as a rolling upgrade
    does, is found again by its name. `timeout_s` bounds a `transcribe`, the restart of a worker included.
    """

    def __init__(self, workers: Sequence[Any], *, timeout_s: float) -> None:
        names = worker_names(len(workers))
        found = [_RayWorker(name, handle) for name, handle in zip(names, workers, strict=True)]
        self._failover = Failover(found, timeout_s=timeout_s, first=os.getpid())

    async def transcribe(self, request: SttRequest) -> Transcript:
        """The words of one utterance so far, or ProviderError."""
        return await self._failover.transcribe(request)


class _RayWorker:
    """A worker behind its name, in the namespace of whoever asks. The handle is only the way to the one of now."""

    def __init__(self, name: str, handle: Any) -> None:
        self._name = name
        self._handle = handle
        self._search: asyncio.Future[Any] | None = None

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        """Its answer; raises WorkerLost."""
        handle = await self._present()
        asked = handle.transcribe.remote(request, deadline_s)
        try:
            answer: Transcript | Refusal = await asked
        except asyncio.CancelledError:
            ray.cancel(asked)  # give its place in the worker's queue back
            raise
        except RayTaskError as error:  # a fault of ours; another worker has it too
            return Refusal(f"the speech-to-text worker failed: {type(error.cause).__name__}", retryable=False)
        except ActorDiedError as error:  # for good: Ray says something else of one that it starts again
            if self._handle is handle:
                self._handle = None
            raise WorkerLost from error
        except RayError as error:
            raise WorkerLost from error
        return answer

    async def _present(self) -> Any:
        """The handle of the worker that has the name now; raises WorkerLost while nobody has it."""
        if self._handle is None:
            if self._search is None or self._search.done():
                # Asks Ray's control plane, which blocks: in a thread, and one for everybody who waits.
                self._search = asyncio.get_running_loop().run_in_executor(None, ray.get_actor, self._name)
            try:
                self._handle = await asyncio.shield(self._search)
            except ValueError as error:
                raise WorkerLost from error
        return self._handle
