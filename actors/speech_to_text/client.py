"""A call actor's way to the speech-to-text workers: satisfies `roles.Stt` over Ray handles."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.failover import Failover, WorkerLost
from providers.roles import SttRequest, Transcript


class RayStt:
    """One for all utterances of a process, which start at different workers in different processes.

    `timeout_s` bounds a `transcribe`, the restart of a worker included.
    """

    def __init__(self, workers: Sequence[Any], *, timeout_s: float) -> None:
        self._failover = Failover([_RayWorker(handle) for handle in workers], timeout_s=timeout_s, first=os.getpid())

    async def transcribe(self, request: SttRequest) -> Transcript:
        """The words of one utterance so far, or ProviderError."""
        return await self._failover.transcribe(request)


class _RayWorker:
    """A worker behind its handle."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    async def transcribe(self, request: SttRequest, deadline_s: float) -> Transcript | Refusal:
        """Its answer; raises WorkerLost."""
        asked = self._handle.transcribe.remote(request, deadline_s)
        try:
            answer: Transcript | Refusal = await asked
        except asyncio.CancelledError:
            ray.cancel(asked)  # give its place in the worker's queue back
            raise
        except RayTaskError as error:  # a fault of ours; another worker has it too
            return Refusal(f"the speech-to-text worker failed: {type(error.cause).__name__}", retryable=False)
        except RayError as error:
            raise WorkerLost from error
        return answer
