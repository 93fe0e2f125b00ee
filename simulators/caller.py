"""A caller who follows a script: waits for the agent, speaks, interrupts, coughs, presses keys, hangs up.

Talks and listens through `Receiver`, the telephone in its hand; knows nothing of sockets.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from simulators.ear import Ear
from simulators.mouth import Line
from simulators.report import Utterance
from simulators.sound import LINE_HZ, Floats, cough, trimmed
from simulators.voice import spoken

_LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """Until the agent has spoken since the caller last did, and has been silent for `quiet_s`."""

    quiet_s: float = 0.8
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Say:
    """Speak now."""

    text: str


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Speak `after_s` after the agent has begun to."""

    text: str
    after_s: float = 0.6
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Cough:
    """Noise that is no word, `after_s` after the agent has begun to speak; at once when 0."""

    after_s: float = 0.0
    timeout_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, a fifth of a second apart."""

    digits: str


@dataclass(frozen=True, slots=True)
class StaySilent:
    """Say nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call. The end of the script does the same."""


Step = WaitForAgent | Say | Interrupt | Cough | Press | StaySilent | HangUp


@dataclass(frozen=True, slots=True)
class Script:
    """Who calls, and what they do."""

    steps: tuple[Step, ...]
    voice: str = "en-us+m3"
    words_per_min: int = 160
    line: Line = field(default_factory=Line)
    seed: int = 0


class Receiver(Protocol):
    """What a caller holds: one call's line."""

    @property
    def ear(self) -> Ear:
        """What the agent says."""

    def speak(self, samples: Floats) -> tuple[float, float, float]:
        """Put a sound (8 kHz) on the line now; returns when it starts, ends and has left."""

    async def press(self, digit: str) -> None:
        """Press one key."""


class Caller:
    """One caller on one call."""

    def __init__(self, script: Script, receiver: Receiver) -> None:
        self.utterances: list[Utterance] = []
        self.missed: list[str] = []
        self._script = script
        self._receiver = receiver
        self._spoke_until = receiver.ear.origin
        self._sounds: dict[str, Floats] = {}

    async def follow(self) -> None:
        """Do every step; return when it is time to hang up."""
        await self._rehearse()
        for step in self._script.steps:
            match step:
                case WaitForAgent():
                    await self._wait_for_silence(step)
                case Say(text):
                    await self._speak("say", text, self._sounds[text])
                case Interrupt(text):
                    await self._wait_for_speech(step.after_s, step.timeout_s, "interrupt")
                    await self._speak("interrupt", text, self._sounds[text])
                case Cough():
                    if step.after_s:
                        await self._wait_for_speech(step.after_s, step.timeout_s, "cough")
                    await self._speak("noise", "cough", cough(LINE_HZ, np.random.default_rng(self._script.seed)))
                case Press(digits):
                    await self._press(digits)
                case StaySilent(seconds):
                    await asyncio.sleep(seconds)
                case HangUp():
                    return

    async def _rehearse(self) -> None:
        """Have every sentence ready, so that a step speaks when it says it does."""
        texts: Sequence[str] = [step.text for step in self._script.steps if isinstance(step, Say | Interrupt)]
        for text in texts:
            sound = await spoken(
                text, voice_name=self._script.voice, rate_hz=LINE_HZ, words_per_min=self._script.words_per_min
            )
            self._sounds[text] = trimmed(sound, LINE_HZ)

    async def _wait_for_silence(self, step: WaitForAgent) -> None:
        ear, limit = self._receiver.ear, time.monotonic() + step.timeout_s
        while (now := time.monotonic()) < limit:
            last = ear.last_loud(now)
            if last is not None and last >= self._spoke_until and now - last >= step.quiet_s:
                return
            await asyncio.sleep(_LOOK_S)
        self.missed.append("wait for agent")

    async def _wait_for_speech(self, after_s: float, timeout_s: float, what: str) -> None:
        ear, limit = self._receiver.ear, time.monotonic() + timeout_s
        while (now := time.monotonic()) < limit:
            first = ear.first_loud(self._spoke_until)
            if first is not None and now >= first + after_s:
                return
            await asyncio.sleep(_LOOK_S)
        self.missed.append(what)

    async def _speak(self, kind: str, text: str, sound: Floats) -> None:
        start, end, sent = self._receiver.speak(sound)
        self.utterances.append(Utterance(kind, text, start, end, sent))
        self._receiver.ear.turn_over()
        self._spoke_until = end
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _press(self, digits: str) -> None:
        for digit in digits:
            await self._receiver.press(digit)
            await asyncio.sleep(0.2)
