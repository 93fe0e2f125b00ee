"""Callers who talk in real time and ask for their words as a call actor does; what each turn's end waits for."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import numpy as np

from providers.roles import SHED, SpeechAudio, SttKind, SttRequest, Transcript

UTTERANCE_S, SHORTEST_S, LONGEST_S = 3.0, 0.4, 12.0
AGENT_S = 6.0
PARTIAL_S = 1.0
SPEC_S, END_S = 0.16, 0.55
"""Into the silence after speech."""
ROUND_S = 0.3
"""Of sound before the speech."""
DEADLINE_S = 6.0
SLOWER_MS, OFF_MS, SPECS_OFF_MS = 200.0, 400.0, 800.0
"""Backlogs from which a caller asks for words every 2 s, not at all, and does not speculate."""

Transcribe = Callable[[SttRequest, float], Awaitable[object]]


@dataclass(slots=True)
class Tally:
    """What all calls saw."""

    waits_ms: list[float] = field(default_factory=list)
    partials_heard: int = 0
    partials_shed: int = 0
    specs_shed: int = 0
    finals: int = 0
    refused: int = 0


class Conversations:
    """Calls at one worker. `sound` is mu-law, long enough for every utterance."""

    def __init__(self, transcribe: Transcribe, sound: bytes, rate_hz: int, *, seed: int) -> None:
        self._transcribe = transcribe
        self._sound = sound
        self._rate_hz = rate_hz
        self._rng = np.random.default_rng(seed)
        self.tally = Tally()

    async def run(self, calls: int, seconds: float) -> Tally:
        """So many calls for so long; they begin somewhere within a turn of the agent."""
        tasks = [asyncio.create_task(self._call(str(number))) for number in range(calls)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        return self.tally

    async def _call(self, call: str) -> None:
        await asyncio.sleep(self._rng.uniform(0, AGENT_S))
        for utterance in itertools.count(1):
            speech_s = float(np.clip(self._rng.exponential(UTTERANCE_S), SHORTEST_S, LONGEST_S))
            await _Turn(self, call, utterance, speech_s).speak()
            await asyncio.sleep(AGENT_S)

    async def ask(self, request: SttRequest) -> Transcript:
        """One recognition; a refusal is counted, and for the caller it is as long as an answer of no words."""
        answer = await self._transcribe(request, DEADLINE_S)
        if isinstance(answer, Transcript):
            return answer
        self.tally.refused += 1
        return Transcript("", 0.0, rejected="refused")

    def audio(self, speech_s: float, silence_s: float) -> SpeechAudio:
        """An utterance as far as it goes."""
        size = int((ROUND_S + speech_s + silence_s) * self._rate_hz)
        return SpeechAudio(self._sound[:size], self._rate_hz, speech_s)


class _Turn:
    """One utterance of a caller."""

    def __init__(self, conversations: Conversations, call: str, utterance: int, speech_s: float) -> None:
        self._all = conversations
        self._tally = conversations.tally
        self._call = call
        self._utterance = utterance
        self._speech_s = speech_s
        self._revision = 0
        self._backlog_ms = 0.0

    async def speak(self) -> None:
        """Talk, pause, and wait for the words."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            await self._talk(group, began)
            await _until(began + self._speech_s + SPEC_S)
            spec = group.create_task(self._speculate()) if self._backlog_ms <= SPECS_OFF_MS else None
            end = began + self._speech_s + END_S
            await _until(end)
            if spec is not None and spec.done() and spec.result():
                self._tally.waits_ms.append(0.0)
            else:
                await self._finally(spec is None or spec.done())
                self._tally.waits_ms.append((time.monotonic() - end) * 1000)

    async def _talk(self, group: asyncio.TaskGroup, began: float) -> None:
        """Ask for the words so far now and then."""
        spoken = PARTIAL_S
        while spoken < self._speech_s:
            await _until(began + spoken)
            if self._backlog_ms < OFF_MS:
                group.create_task(self._hear(spoken))
            spoken += PARTIAL_S if self._backlog_ms < SLOWER_MS else 2 * PARTIAL_S

    async def _hear(self, spoken_s: float) -> None:
        answer = await self._ask(SttKind.PARTIAL, self._all.audio(spoken_s, 0.0))
        if answer.rejected == SHED:
            self._tally.partials_shed += 1
        else:
            self._tally.partials_heard += 1

    async def _speculate(self) -> bool:
        """Whether words came."""
        answer = await self._ask(SttKind.SPEC, self._all.audio(self._speech_s, SPEC_S))
        self._tally.specs_shed += answer.rejected == SHED
        return answer.rejected is None

    async def _finally(self, is_new: bool) -> None:
        """Ask for the final words; while the speculation is under way, for the same, but first of all."""
        self._tally.finals += 1
        self._revision -= not is_new
        await self._ask(SttKind.FINAL, self._all.audio(self._speech_s, END_S))

    async def _ask(self, kind: SttKind, audio: SpeechAudio) -> Transcript:
        self._revision += 1
        answer = await self._all.ask(SttRequest(self._call, self._utterance, self._revision, kind, audio))
        self._backlog_ms = answer.backlog_ms
        return answer


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))
