"""What a fault did to callers is read from their reports and logs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bench.conversation import Conversation
from bench.heard import effect, gaps_in_log, is_odd, longest, silences
from models.call import CallStatus, Turn
from models.document import new_id
from simulators.ear import Gap
from simulators.report import CallReport, Reply, Utterance
from tests.documents import a_call

ANSWER = "Which day would you like to come?"
USUAL = (ANSWER,)
CLOCK_S = 1_700_000_000.0


def said(start: float, end: float, text: str = "tuesday please") -> Utterance:
    """An utterance of the caller."""
    return Utterance("say", text, start, end, end)


def report(**fields: Any) -> CallReport:
    """A call from second 100 to 130, ended by its caller, with two utterances that are answered within a second."""
    own: dict[str, Any] = {
        "call_sid": "sid",
        "from_number": "1",
        "to_number": "2",
        "rate_hz": 8000,
        "origin": 100.0,
        "ended": 130.0,
        "end_reason": "caller",
        "utterances": (said(105.0, 107.0), said(115.0, 117.0, "three in the afternoon")),
        "replies": (Reply(0.6, 0.7), Reply(0.9, 1.0)),
        "agent_speech": ((101.0, 103.0), (107.7, 111.0), (118.0, 121.0)),
    }
    return CallReport(**(own | fields))


def turn(index: int, role: Any, content: str, at: float) -> Turn:
    """A turn committed at a moment of the report's clock."""
    stamp = datetime.fromtimestamp(CLOCK_S, UTC) + timedelta(seconds=at)
    return Turn(index=index, role=role, content=content, timestamp=stamp)


GREETED = turn(0, "assistant", ANSWER, 103.0)
FIRST = (turn(1, "user", "Tuesday, please.", 107.6), turn(2, "assistant", ANSWER, 111.0))
SECOND = (turn(3, "user", "three in the afternoon", 117.6), turn(4, "assistant", ANSWER, 121.0))
COMPLETE = (GREETED, *FIRST, *SECOND)


def conversation(turns: tuple[Turn, ...] = COMPLETE, *, heard: CallReport | None = None, **fields: Any) -> Conversation:
    """A call whose log is final and complete, unless told otherwise."""
    final = {"status": CallStatus.COMPLETED, "ended_at": turns[-1].timestamp}
    return Conversation(heard or report(), a_call(new_id(), turns=list(turns), **(final | fields)), CLOCK_S)


def test_silence_counts_while_the_caller_waits_for_the_agent() -> None:
    assert list(silences(report())) == [(100.0, 101.0), (107.0, 107.7), (117.0, 118.0)]


def test_an_answer_that_breaks_off_and_goes_on_has_a_silence_in_it() -> None:
    broken = report(agent_speech=((101.0, 103.0), (107.7, 109.0), (111.5, 113.0), (118.0, 121.0)))
    assert (109.0, 111.5) in list(silences(broken))


def test_an_utterance_without_an_answer_is_followed_by_silence_until_the_next() -> None:
    unanswered = report(agent_speech=((101.0, 103.0), (118.0, 121.0)))
    assert longest(unanswered, (106.0, 116.0)) == 8.0


def test_a_silence_is_laid_to_what_happened_in_it_or_soon_before_it() -> None:
    slow = report(agent_speech=((101.0, 103.0), (110.0, 111.0), (118.0, 121.0)))
    assert longest(slow, (106.0, 121.0)) == longest(slow, (109.0, 124.0)) == 3.0
    assert longest(slow, (111.5, 114.0)) == 0.0


def test_a_call_in_which_nothing_is_unusual_is_not_affected() -> None:
    found = effect([conversation()], 106.0, 200.0, USUAL)
    assert (found.live, found.affected, found.lost) == (1, 0, 0)
    assert found.longest_s == pytest.approx(1.0)


def test_a_call_that_was_over_is_none_of_those_live() -> None:
    assert effect([conversation()], 131.0, 200.0, USUAL).live == 0


@pytest.mark.parametrize(
    "heard",
    [
        report(gaps=(Gap(108.0, 0.3),)),
        report(agent_speech=((101.0, 103.0), (109.5, 111.0), (118.0, 121.0))),
        report(ended=112.0, end_reason="platform"),
    ],
    ids=["a hole in the agent's speech", "a long silence", "the end of the call"],
)
def test_callers_notice(heard: CallReport) -> None:
    assert effect([conversation(heard=heard)], 106.0, 200.0, USUAL).affected == 1


def test_callers_notice_words_that_are_never_said_unharmed() -> None:
    turns = (GREETED, FIRST[0], turn(2, "assistant", "Sorry, I was away for a moment.", 111.0), *SECOND)
    assert effect([conversation(turns)], 106.0, 200.0, USUAL).affected == 1


def test_what_comes_after_the_next_moment_is_not_laid_to_this_one() -> None:
    heard = report(agent_speech=((101.0, 103.0), (107.7, 111.0), (120.0, 121.0)))
    assert effect([conversation(heard=heard)], 106.0, 116.0, USUAL).affected == 0
    assert effect([conversation(heard=heard)], 116.0, 200.0, USUAL).affected == 1


def test_a_call_that_its_caller_did_not_end_is_lost() -> None:
    found = effect([conversation(heard=report(ended=112.0, end_reason="platform"))], 106.0, 200.0, USUAL)
    assert (found.affected, found.lost) == (1, 1)


def test_a_sentence_cut_short_is_not_odd() -> None:
    assert not is_odd("which day would", USUAL)
    assert is_odd("which hour", USUAL)


def test_a_complete_log_has_no_gaps() -> None:
    assert gaps_in_log(conversation(), USUAL) == []


def test_an_answered_utterance_must_be_in_the_log() -> None:
    without = (GREETED, turn(1, "user", "three in the afternoon", 117.6))
    assert gaps_in_log(conversation(without), USUAL) == ["not in the log: an utterance answered after 0.6 s"]


def test_an_utterance_nobody_answered_may_be_missing() -> None:
    without = (GREETED, turn(1, "user", "three in the afternoon", 117.6))
    heard = report(replies=(Reply(None, None), Reply(0.9, 1.0)))
    assert gaps_in_log(conversation(without, heard=heard), USUAL) == []


def test_an_utterance_written_late_counts_by_its_words() -> None:
    late = (GREETED, turn(1, "user", "tuesday please", 116.0), turn(2, "user", "three in the afternoon", 117.6))
    assert gaps_in_log(conversation(late), USUAL) == []


def test_a_turn_may_not_be_there_twice() -> None:
    twice = (GREETED, FIRST[0], turn(2, "user", FIRST[0].content, 107.7), turn(3, "assistant", ANSWER, 111.0))
    heard = report(utterances=report().utterances[:1], replies=report().replies[:1])
    assert gaps_in_log(conversation(twice, heard=heard), USUAL) == ["said twice: user"]


def test_turns_are_numbered_without_gaps() -> None:
    skipped = (GREETED, turn(2, "user", "tuesday please", 107.6), turn(3, "assistant", ANSWER, 111.0))
    heard = report(utterances=report().utterances[:1], replies=report().replies[:1])
    assert gaps_in_log(conversation(skipped, heard=heard), USUAL) == ["turns are not numbered 0, 1, 2, ..."]


def test_a_log_must_be_final() -> None:
    live = conversation(status=CallStatus.IN_PROGRESS, ended_at=None)
    assert gaps_in_log(live, USUAL) == ["not final: in-progress"]


def test_a_call_that_was_refused_needs_a_final_log_only() -> None:
    refused = report(utterances=(), replies=(), agent_speech=(), end_reason="refused", ended=100.0)
    assert gaps_in_log(conversation((GREETED,), heard=refused), USUAL) == []
