"""What waits for a database that is away: in order, bounded, nothing twice."""

from actors.call_session.commands import (
    Finish,
    SaveDisposition,
    SaveProgress,
    SaveTurn,
    SaveUsage,
    TellPartial,
)
from actors.call_session.unwritten import CLOSING_ROOM, MAX_PARTIALS_BEHIND, Entry, Noted, Unwritten
from models.call import CallStatus, TurnTimings
from tests.documents import NOW

LIMIT = 3
END = Finish(CallStatus.COMPLETED, "caller")


def turn(text: str, role: str = "user") -> SaveTurn:
    return SaveTurn(role, text, interrupted=False, timings=TurnTimings())


def progress(clause: str) -> SaveProgress:
    return SaveProgress("", clause, 0.0, 1.0)


def noted(entry: Entry, telephony_ms: int = 0) -> Noted:
    return Noted(entry, NOW, telephony_ms)


def left(unwritten: Unwritten) -> list[Noted]:
    taken = []
    while (each := unwritten.next()) is not None:
        taken.append(each)
    return taken


def test_entries_come_out_as_they_went_in() -> None:
    unwritten = Unwritten(LIMIT)
    entries = [noted(turn("one")), noted(progress("Two")), noted(turn("two", "assistant")), noted(END)]
    assert all(unwritten.add(each) for each in entries)
    assert left(unwritten) == entries


def test_usage_and_progress_replace_what_they_said_before() -> None:
    unwritten = Unwritten(LIMIT)
    first, second = noted(turn("one")), noted(turn("two"))
    for each in (noted(SaveUsage(), 1), first, noted(progress("a")), noted(SaveUsage(), 2), second):
        unwritten.add(each)
    unwritten.add(noted(progress("b")))
    assert left(unwritten) == [first, noted(SaveUsage(), 2), second, noted(progress("b"))]


def test_the_last_word_on_what_the_call_came_to_is_written_before_the_end() -> None:
    unwritten = Unwritten(LIMIT)
    for entry in (SaveDisposition("sold", ""), turn("wait"), SaveDisposition("call back", ""), END):
        unwritten.add(noted(entry))
    assert left(unwritten) == [noted(turn("wait")), noted(SaveDisposition("call back", "")), noted(END)]


def test_partial_texts_are_not_kept_for_a_database_that_is_away() -> None:
    unwritten = Unwritten(LIMIT)
    assert unwritten.add(noted(TellPartial("I", 1)))
    assert len(unwritten) == 1
    unwritten.drop_partials()
    assert unwritten.add(noted(TellPartial("I would", 2)), is_away=True)
    assert len(unwritten) == 0


def test_partial_texts_are_left_out_behind_a_slow_database() -> None:
    unwritten = Unwritten(100)
    for revision in range(2 * MAX_PARTIALS_BEHIND):
        unwritten.add(noted(TellPartial("I", revision)))
    assert len(unwritten) == MAX_PARTIALS_BEHIND + 1


def test_a_full_buffer_has_room_for_the_end() -> None:
    unwritten = Unwritten(LIMIT)
    for index in range(LIMIT):
        assert not unwritten.is_full
        assert unwritten.add(noted(turn(str(index))))
    assert unwritten.is_full
    closing = [noted(turn(f"closing {index}")) for index in range(CLOSING_ROOM)]
    assert all(unwritten.add(each) for each in closing)
    assert not unwritten.add(noted(turn("too much")))
    assert unwritten.add(noted(END))
    assert [each.entry for each in left(unwritten)[LIMIT:]] == [*(each.entry for each in closing), END]


def test_it_knows_whether_the_caller_is_waiting_to_be_written() -> None:
    unwritten = Unwritten(LIMIT)
    unwritten.add(noted(turn("Hello!", "assistant")))
    assert not unwritten.has_caller_turn
    unwritten.add(noted(turn("Hello?")))
    assert unwritten.has_caller_turn
    unwritten.clear()
    assert not unwritten.has_caller_turn
