from actors.call_session.turn import Endpointing, Signal, TurnTaking


def run(*stretches: tuple[float, int]) -> list[tuple[int, Signal]]:
    """Signals with the number of the window (from 1) that caused them."""
    turns, signals, at = TurnTaking(), [], 0
    for probability, windows in stretches:
        for _ in range(windows):
            at += 1
            signals += [(at, signal) for signal in turns.hear(probability)]
    return signals


def test_speech_starts_after_three_loud_windows_and_is_sustained_after_eight() -> None:
    assert run((0.9, 8)) == [(3, Signal.STARTED), (8, Signal.SUSTAINED)]


def test_a_click_of_two_windows_is_nothing() -> None:
    assert run((0.9, 2), (0.0, 30)) == []


def test_a_pause_is_noticed_after_160_ms_and_the_end_after_544_ms_of_silence() -> None:
    assert run((0.9, 8), (0.0, 20))[2:] == [(13, Signal.PAUSED), (25, Signal.ENDED)]


def test_speech_within_the_pause_resumes_the_utterance() -> None:
    signals = [signal for _, signal in run((0.9, 10), (0.0, 8), (0.9, 4), (0.0, 20))]
    assert signals == [Signal.STARTED, Signal.SUSTAINED, Signal.PAUSED, Signal.RESUMED, Signal.PAUSED, Signal.ENDED]


def test_a_falling_probability_is_still_speech_until_it_is_clearly_quiet() -> None:
    assert run((0.9, 8), (0.4, 30))[2:] == []


def test_a_blip_in_the_pause_does_not_resume_but_delays_the_end() -> None:
    signals = run((0.9, 8), (0.0, 10), (0.9, 1), (0.0, 20))
    assert signals[-1] == (8 + 11 + 17, Signal.ENDED)
    assert Signal.RESUMED not in [signal for _, signal in signals]


def test_an_overlong_utterance_is_cut_and_counts_its_speech_until_the_next_window() -> None:
    turns = TurnTaking(Endpointing(longest_windows=50))
    signals = [signal for _ in range(50) for signal in turns.hear(0.9)]
    assert signals[-1] is Signal.OVERLONG
    assert turns.speech_s > 1.5
    turns.hear(0.9)
    assert turns.speech_s < 0.1
