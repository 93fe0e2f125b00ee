from hypothesis import given, strategies as st

from actors.call_session.wire import Frame, Kind
from serve_app.backlog import Backlog


def frames(*texts: str) -> tuple[Frame, ...]:
    return tuple(Frame(Kind.TEXT, text.encode()) for text in texts)


def a_backlog(*texts: str, most_bytes: int = 1000) -> Backlog:
    backlog = Backlog(most_bytes)
    assert backlog.begin() == ()
    for frame in frames(*texts):
        backlog.add(frame)
    return backlog


def test_what_nobody_settled_is_repeated_in_order() -> None:
    assert a_backlog("a", "b", "c").begin() == frames("a", "b", "c")


def test_what_is_settled_is_not_repeated() -> None:
    backlog = a_backlog("a", "b", "c")
    backlog.settle(2)
    assert backlog.begin() == frames("c")


def test_text_and_sound_are_repeated_as_what_they_were() -> None:
    backlog = a_backlog("a")
    backlog.add(Frame(Kind.BINARY, b"\x00\xff"))
    assert backlog.begin() == (Frame(Kind.TEXT, b"a"), Frame(Kind.BINARY, b"\x00\xff"))


def test_the_message_that_opened_the_stream_comes_first_although_it_is_settled() -> None:
    backlog = a_backlog("open", "a", "b")
    backlog.keep(b"open")
    backlog.settle(2)
    assert backlog.begin() == frames("open", "b")


def test_it_does_not_come_twice_while_it_is_not_settled() -> None:
    backlog = a_backlog("hello", "open", "a")
    backlog.keep(b"open")
    assert backlog.begin() == frames("hello", "open", "a")


def test_it_comes_first_although_the_carrier_said_the_same_again() -> None:
    backlog = a_backlog("open", "a")
    backlog.keep(b"open")
    backlog.settle(2)
    backlog.add(*frames("b"))
    backlog.add(*frames("open"))
    assert backlog.begin() == frames("open", "b", "open")


def test_it_may_be_named_again_by_the_next_actor_and_after_it_was_settled() -> None:
    backlog = a_backlog("open", "a")
    backlog.settle(2)
    backlog.keep(b"open")
    assert backlog.begin() == frames("open")
    backlog.keep(b"open")
    assert backlog.begin() == frames("open")


def test_every_connection_counts_from_its_own_first_message_repeated_ones_included() -> None:
    backlog = a_backlog("open", "a", "b", "c")
    backlog.keep(b"open")
    backlog.settle(2)
    assert backlog.begin() == frames("open", "b", "c")
    backlog.settle(2)  # the repeated opening and "b"
    assert backlog.begin() == frames("open", "c")


def test_a_count_that_was_told_before_changes_nothing() -> None:
    backlog = a_backlog("a", "b", "c")
    backlog.settle(2)
    backlog.settle(1)
    assert backlog.begin() == frames("c")


def test_a_count_beyond_what_was_said_settles_what_was_said() -> None:
    backlog = a_backlog("a")
    backlog.settle(7)
    backlog.add(*frames("b"))
    assert backlog.begin() == frames("b")


def test_beyond_the_bound_the_oldest_go_and_are_counted() -> None:
    backlog = a_backlog("aaaa", "bbbb", "cccc", most_bytes=8)
    assert backlog.dropped == 1
    assert backlog.begin() == frames("bbbb", "cccc")


def test_counts_are_right_after_some_were_too_many() -> None:
    backlog = a_backlog("aaaa", "bbbb", "cccc", most_bytes=8)
    backlog.settle(2)
    assert backlog.begin() == frames("cccc")


def test_the_opening_outlives_the_bound() -> None:
    backlog = a_backlog("open", most_bytes=8)
    backlog.keep(b"open")
    for text in ("aaaa", "bbbb", "cccc"):
        backlog.add(*frames(text))
    assert backlog.begin() == frames("open", "bbbb", "cccc")


SAID = st.just("said")
LOST = st.just("lost")
SETTLED = st.tuples(st.just("settled"), st.integers(0, 12))


@given(st.lists(st.one_of(SAID, SAID, LOST, SETTLED), max_size=60), st.integers(0, 60))
def test_exactly_what_is_not_settled_is_repeated_whatever_happens(steps: list[object], opens_at: int) -> None:
    """Against the plainest model: everything that was said, and how each connection numbered it."""
    backlog = Backlog()
    said: list[Frame] = []
    settled: set[int] = set()
    connection: list[int] = []
    """Which of `said` went over the connection under way, in order."""
    opening: int | None = None

    def begun() -> None:
        left = [n for n in range(len(said)) if n not in settled]
        connection[:] = left if opening is None or opening in left else [opening, *left]
        assert backlog.begin() == tuple(said[n] for n in connection)

    begun()
    for step in steps:
        if step == "said":
            said.append(Frame(Kind.TEXT, str(len(said)).encode()))
            connection.append(len(said) - 1)
            backlog.add(said[-1])
            if len(said) - 1 == opens_at:
                opening = opens_at
                backlog.keep(said[-1].payload)
        elif step == "lost":
            begun()
        elif isinstance(step, tuple):
            settled |= set(connection[: step[1]])
            backlog.settle(step[1])
    begun()
