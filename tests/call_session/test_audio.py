import numpy as np

from actors.call_session.audio import PRE_ROLL_S, UtteranceAudio, Windows


def test_windows_are_512_samples_whatever_the_packets() -> None:
    windows, samples = Windows(), np.arange(5000, dtype=np.float32)
    out = [window for start in range(0, 5000, 317) for window in windows.feed(samples[start : start + 317])]
    assert [len(window) for window in out] == [512] * 9
    assert np.array_equal(np.concatenate(out), samples[: 9 * 512])


def test_an_utterance_begins_a_little_before_it_was_noticed() -> None:
    audio = UtteranceAudio(8000)
    audio.feed(b"\1" * 8000)
    audio.open(1)
    audio.feed(b"\2" * 100)
    assert audio.get(1) == b"\1" * int(PRE_ROLL_S * 8000) + b"\2" * 100


def test_a_closed_utterance_keeps_its_audio_and_takes_no_more() -> None:
    audio = UtteranceAudio(8000)
    audio.open(1)
    audio.feed(b"\1" * 10)
    audio.close(1)
    audio.feed(b"\2" * 10)
    assert audio.get(1) == b"\1" * 10


def test_old_utterances_are_let_go() -> None:
    audio = UtteranceAudio(8000)
    for number in range(1, 7):
        audio.open(number)
        audio.feed(b"\1")
    assert [bool(audio.get(number)) for number in range(1, 7)] == [False, False, True, True, True, True]
