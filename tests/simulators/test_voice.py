"""espeak-ng speaks, at any rate and in any of its voices."""

import pytest

from simulators.sound import level_dbfs
from simulators.voice import UnknownVoice, voice


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_the_same_words_take_the_same_time_at_every_rate(rate_hz: int) -> None:
    spoken = voice().say("Thank you for calling.", voice="en-us+m3", rate_hz=rate_hz)
    assert 0.8 < len(spoken) / rate_hz < 2.0
    assert level_dbfs(spoken) > -40


def test_an_unknown_voice_is_refused() -> None:
    with pytest.raises(UnknownVoice):
        voice().say("Hello", voice="xx-none", rate_hz=8_000)


def test_nothing_to_say_is_no_sound() -> None:
    assert level_dbfs(voice().say(" ", voice="en-us", rate_hz=8_000)) == -120


def test_what_was_said_before_is_remembered_and_nobody_changes_it() -> None:
    first, again = (voice().say("Thank you.", voice="en-us+m3", rate_hz=8_000) for _ in range(2))
    assert first is again
    assert not first.flags.writeable
    assert len(voice().say("Thank you.", voice="en-us+m3", rate_hz=8_000, words_per_min=80)) > len(first)
