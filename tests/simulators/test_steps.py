"""What a caller does to its telephone, without one."""

import time
from dataclasses import dataclass, field

import numpy as np
import pytest

from simulators.caller import (
    Caller,
    Cough,
    Do,
    HangUp,
    Interrupt,
    Murmur,
    Play,
    Say,
    SayWithPauses,
    Script,
    StaySilent,
    Step,
    WaitForAgent,
)
from simulators.ear import Ear
from simulators.scripts import SCRIPTS
from simulators.sound import LINE_HZ, Floats


@dataclass
class Telephone:
    """Everything put on it has been spoken by now, so that nobody waits for it."""

    ear: Ear
    sounds: list[tuple[Floats, float | None]] = field(default_factory=list)

    def speak(self, samples: Floats, *, dbfs: float | None = None) -> tuple[float, float, float]:
        """Keep the sound."""
        self.sounds.append((samples, dbfs))
        now = time.monotonic()
        return now - len(samples) / LINE_HZ, now, now

    async def press(self, digit: str) -> None:
        """Never asked here."""
        raise AssertionError(digit)


@pytest.fixture
def telephone() -> Telephone:
    """On the line for a minute, with an agent that has just said ten seconds of something and will go on for ten."""
    now = time.monotonic()
    ear = Ear(LINE_HZ, origin=now - 60)
    ear.hear(np.full(20 * LINE_HZ, 0.2, dtype=np.float32), now - 10)
    return Telephone(ear)


async def done(telephone: Telephone, *steps: Step) -> Caller:
    """The caller after its script."""
    caller = Caller(Script(steps), telephone)
    await caller.follow()
    return caller


async def test_a_turn_with_pauses_is_one_utterance_of_several_parts(telephone: Telephone) -> None:
    caller = await done(telephone, SayWithPauses(("my number is", "five five five"), (0.5,)))
    (utterance,) = caller.utterances
    (first, second), ((sound, _),) = utterance.parts, telephone.sounds
    assert (utterance.kind, utterance.text) == ("say", "my number is five five five")
    assert second[0] - first[1] == pytest.approx(0.5)
    assert first[0] == utterance.start
    assert second[1] == pytest.approx(utterance.end)
    pause = sound[int((first[1] - first[0]) * LINE_HZ) + 1 :][: int(0.49 * LINE_HZ)]
    assert not np.any(pause)


def test_a_turn_has_a_pause_between_each_two_pieces() -> None:
    with pytest.raises(ValueError, match="one pause between"):
        SayWithPauses(("one", "two"), ())


async def test_a_murmur_does_not_wait_for_an_answer(telephone: Telephone) -> None:
    caller = await done(telephone, Murmur("okay", after_s=2.0), Murmur("yeah", after_s=3.0))
    assert [(each.kind, each.text) for each in caller.utterances] == [("murmur", "okay"), ("murmur", "yeah")]
    assert caller.missed == []
    telephone.ear.hear(np.ones(80, dtype=np.float32), time.monotonic() + 10.5)
    assert len(telephone.ear.gaps) == 1


async def test_an_interruption_takes_the_turn(telephone: Telephone) -> None:
    caller = await done(telephone, Interrupt("stop", after_s=2.0), WaitForAgent(timeout_s=0.0))
    assert [each.kind for each in caller.utterances] == ["interrupt"]
    assert caller.missed == ["wait for agent"]


async def test_a_sound_is_played_with_its_gain(telephone: Telephone) -> None:
    caller = await done(telephone, Play("beep", 0.4, dbfs=-18), Cough(seconds=0.7))
    (beep, gain), (cough, no_gain) = telephone.sounds
    assert (len(beep), gain) == (round(0.4 * LINE_HZ), -18)
    assert len(cough) / LINE_HZ == pytest.approx(0.7, abs=0.01)
    assert no_gain is None
    assert [(each.kind, each.text) for each in caller.utterances] == [("noise", "beep"), ("noise", "cough")]


async def test_a_cough_may_have_a_voice_in_it_and_is_never_the_same_twice(telephone: Telephone) -> None:
    caller = await done(telephone, Cough(is_hacking=True), Cough(is_hacking=True))
    (first, _), (second, _) = telephone.sounds
    assert [each.text for each in caller.utterances] == ["hacking", "hacking"]
    assert not np.array_equal(first, second)


async def test_something_beside_the_call_happens_while_the_script_goes_on(telephone: Telephone) -> None:
    happened: list[str] = []
    steps = (Do(lambda: happened.append("soon"), 0.001), Do(lambda: happened.append("now")), StaySilent(0.002))
    await done(telephone, *steps, Do(lambda: happened.append("never"), 0.001), HangUp())
    assert happened == ["now", "soon"]


async def test_no_step_begins_after_the_last_moment(telephone: Telephone) -> None:
    caller = Caller(Script((Say("hello"),), lasts_s=59), telephone)
    await caller.follow()
    assert caller.utterances == []


def test_machines_speak_first_and_wait_for_nobody() -> None:
    for name in ("voicemail", "voicemail_plain", "ivr", "not_in_service", "not_in_service_plain"):
        script = SCRIPTS[name]
        assert not any(isinstance(step, WaitForAgent | Say) for step in script.steps)
        assert isinstance(script.steps[-1], HangUp)
    assert Play("beep", 0.4, dbfs=-18) in SCRIPTS["voicemail"].steps
    assert Play("beep", 0.4, dbfs=-18) not in SCRIPTS["ivr"].steps
