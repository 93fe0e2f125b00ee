"""A call actor's way to the speech-to-text worker: satisfies `roles.Stt` over a Ray handle."""

import asyncio
from typing import Any

import ray
from ray.exceptions import RayError

from actors.speech_to_text.answers import Refusal
from models.errors import ProviderError
from providers.roles import SpeechAudio, Transcript


class RayStt:
    """One for all utterances of a call. `timeout_s` bounds a `transcribe`, a restart of the worker included."""

    def __init__(self, worker: Any, *, timeout_s: float) -> None:
        self._worker = worker
        self._timeout_s = timeout_s

    async def transcribe(self, audio: SpeechAudio) -> Transcript:
        """The words of one utterance, or ProviderError. Ray asks again by itself when the worker dies over it."""
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._ask(audio)
        except TimeoutError as error:
            raise _failure("speech to text did not answer in time", retryable=True) from error
        except RayError as error:
            raise _failure("the speech-to-text worker is gone", retryable=True) from error
        if isinstance(answer, Refusal):
            raise _failure(answer.message, retryable=answer.retryable)
        return answer

    async def _ask(self, audio: SpeechAudio) -> Transcript | Refusal:
        request = self._worker.transcribe.remote(audio, self._timeout_s)
        try:
            answer: Transcript | Refusal = await request
        except asyncio.CancelledError:
            ray.cancel(request)  # give its place in the worker's queue back
            raise
        return answer


def _failure(message: str, *, retryable: bool) -> ProviderError:
    return ProviderError(message, provider="speech_to_text", retryable=retryable)
