"""A caller who follows a script: waits for the agent, speaks, interrupts, coughs, presses keys, hangs up.

Talks and listens through `Receiver`, the telephone in its hand; knows nothing of sockets.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Protocol

import numpy as np

from simulators.ear import Ear
from simulators.noises import sound_of
from simulators.report import Utterance
from simulators.sound import LINE_HZ, Floats, cough, joined, trimmed
from simulators.steps import (
    Cough as Cough,
    Do as Do,
    HangUp as HangUp,
    Interrupt as Interrupt,
    Murmur as Murmur,
    Play as Play,
    Press as Press,
    Say as Say,
    SayWithPauses as SayWithPauses,
    Script as Script,
    StaySilent as StaySilent,
    Step as Step,
    WaitForAgent as WaitForAgent,
)
from simulators.throat import hacking_cough
from simulators.voice import spoken

_LOOK_S = 0.01


class Receiver(Protocol):
    """What a caller holds: one call's line."""

    @property
    def ear(self) -> Ear:
        """What the agent says."""

    def speak(self, samples: Floats, *, dbfs: float | None = None) -> tuple[float, float, float]:
        """Put a sound (8 kHz) on the line now; returns when it starts, ends and has left.

        It gets the level of the line's speech, or, with `dbfs`, that gain.
        """

    async def press(self, digit: str) -> None:
        """Press one key."""


async def rehearsed(script: Script) -> Mapping[str, Floats]:
    """The sound of each text of a script at the line's rate, without silence around it."""
    return {
        text: trimmed(
            await spoken(text, voice_name=script.voice, rate_hz=LINE_HZ, words_per_min=script.words_per_min), LINE_HZ
        )
        for text in script.texts
    }


class Caller:
    """One caller on one call."""

    def __init__(self, script: Script, receiver: Receiver) -> None:
        self.utterances: list[Utterance] = []
        self.missed: list[str] = []
        self._script = script
        self._receiver = receiver
        self._spoke_until = receiver.ear.origin
        self._sounds: Mapping[str, Floats] = {}
        self._later: list[asyncio.TimerHandle] = []
        self._coughs = 0

    async def follow(self) -> None:
        """Do every step, with all that is said synthesised beforehand; return when it is time to hang up."""
        self._sounds = await rehearsed(self._script)
        try:
            for step in self._script.steps:
                is_late = time.monotonic() - self._receiver.ear.origin > self._script.lasts_s
                if isinstance(step, HangUp) or (is_late and not isinstance(step, WaitForAgent)):
                    return
                await self._take(step)
        finally:
            for action in self._later:
                action.cancel()

    async def _take(self, step: Step) -> None:
        match step:
            case WaitForAgent():
                await self._wait_for_silence(step)
            case Say(text):
                await self._speak("say", text, [self._sounds[text]])
            case SayWithPauses(pieces, pauses_s):
                await self._speak("say", step.text, [self._sounds[piece] for piece in pieces], pauses_s)
            case Interrupt(text):
                await self._wait_for_speech(step.after_s, step.timeout_s, "interrupt")
                await self._speak("interrupt", text, [self._sounds[text]])
            case Murmur(text):
                await self._wait_for_speech(step.after_s, step.timeout_s, "murmur")
                await self._add("murmur", text, [self._sounds[text]])
            case Cough():
                await self._cough(step)
            case Play(sound, seconds):
                await self._speak("noise", sound, [sound_of(sound, seconds, self._script.seed)], dbfs=step.dbfs)
            case Press(digits):
                await self._press(digits)
            case StaySilent(seconds):
                await asyncio.sleep(seconds)
            case Do(action, after_s):
                if after_s:
                    self._later.append(asyncio.get_running_loop().call_later(after_s, action))
                else:
                    action()
            case HangUp():
                return

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

    async def _cough(self, step: Cough) -> None:
        if step.after_s:
            await self._wait_for_speech(step.after_s, step.timeout_s, "cough")
        self._coughs += 1
        rng = np.random.default_rng((self._script.seed, self._coughs))
        if step.is_hacking:
            await self._speak("noise", "hacking", [hacking_cough(round(step.seconds * LINE_HZ), LINE_HZ, rng)])
        else:
            await self._speak("noise", "cough", [cough(LINE_HZ, rng, seconds=step.seconds)])

    async def _speak(
        self,
        kind: str,
        text: str,
        pieces: list[Floats],
        pauses_s: tuple[float, ...] = (),
        *,
        dbfs: float | None = None,
    ) -> None:
        """Take the turn: the agent is expected to answer from the end of this on."""
        self._receiver.ear.turn_over()
        await self._add(kind, text, pieces, pauses_s, dbfs=dbfs)
        if pauses_s:  # an answer that came in a pause is not the beginning of the one that is due now
            self._receiver.ear.turn_over()

    async def _add(
        self,
        kind: str,
        text: str,
        pieces: list[Floats],
        pauses_s: tuple[float, ...] = (),
        *,
        dbfs: float | None = None,
    ) -> None:
        sound, spans = joined(pieces, pauses_s, LINE_HZ)
        start, end, sent = self._receiver.speak(sound, dbfs=dbfs)
        parts = tuple((start + first, start + last) for first, last in spans)
        self.utterances.append(Utterance(kind, text, start, end, sent, parts))
        if kind != "murmur":
            self._spoke_until = end
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _press(self, digits: str) -> None:
        for digit in digits:
            await self._receiver.press(digit)
            await asyncio.sleep(0.2)
