from actors.call_session.turn import Endpointing, Signal, TurnTaking

Q, S, P, R, E = Signal.STARTED, Signal.SPOKEN, Signal.PAUSED, Signal.RESUMED, Signal.ENDED


def run(*stretches: tuple[float, int], hush_s: float = 0.0) -> list[tuple[int, Signal]]:
    """Signals but SPOKEN, with the number of the window (from 1) that caused them."""
    turns, signals, at = TurnTaking(), [], 0
    for probability, windows in stretches:
        for _ in range(windows):
            at += 1
            quiet = hush_s if probability < 0.3 else 0.0
            signals += [(at, signal) for signal in turns.hear(probability, quiet) if signal is not S]
    return signals


def test_speech_starts_after_three_loud_windows_and_is_told_with_every_further_one() -> None:
    turns = TurnTaking()
    assert [turns.hear(0.9) for _ in range(5)] == [[], [], [Q], [S], [S]]
    assert round(turns.speech_s, 3) == 0.16


def test_a_click_of_two_windows_is_nothing() -> None:
    assert run((0.9, 2), (0.0, 30)) == []


def test_a_pause_is_noticed_after_96_ms_and_the_end_after_544_ms_of_silence() -> None:
    assert run((0.9, 8), (0.0, 20))[1:] == [(11, P), (25, E)]


def test_a_quiet_line_is_told_before_the_pause_is_certain_and_counts_as_silence() -> None:
    assert run((0.9, 8), (0.0, 20), hush_s=0.1)[1:] == [(9, Signal.HUSHED), (11, P), (25, E)]


def test_how_long_the_pause_was_is_known_when_speech_goes_on() -> None:
    turns = TurnTaking()
    for probability in [0.9] * 8 + [0.0] * 10 + [0.9] * 2:
        signals = turns.hear(probability)
    assert signals == [R]
    assert round(turns.pause_s, 2) == 0.32


def test_a_shorter_wait_ends_a_turn_that_is_quiet_for_long_enough_already() -> None:
    turns = TurnTaking()
    for probability in [0.9] * 8 + [0.0] * 12:
        turns.hear(probability)
    assert turns.settle() == []
    turns.end_s = 0.35
    assert turns.settle() == [E]
    assert turns.settle() == []


def test_speech_within_the_pause_resumes_the_utterance() -> None:
    signals = [signal for _, signal in run((0.9, 10), (0.0, 8), (0.9, 4), (0.0, 20))]
    assert signals == [Q, P, R, P, E]


def test_a_falling_probability_is_still_speech_until_it_is_clearly_quiet() -> None:
    assert run((0.9, 8), (0.4, 30))[1:] == []


def test_a_blip_in_the_pause_does_not_resume_but_delays_the_end() -> None:
    signals = run((0.9, 8), (0.0, 10), (0.9, 1), (0.0, 20))
    assert signals[-1] == (8 + 11 + 17, E)
    assert R not in [signal for _, signal in signals]


def test_an_overlong_utterance_is_cut_and_counts_its_speech_until_the_next_window() -> None:
    turns = TurnTaking(Endpointing(longest_windows=50))
    signals = [signal for _ in range(50) for signal in turns.hear(0.9)]
    assert signals[-1] is Signal.OVERLONG
    assert turns.speech_s > 1.5
    turns.hear(0.9)
    assert turns.speech_s < 0.1
