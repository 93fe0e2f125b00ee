"""What the edge is told it need not repeat."""

from itertools import pairwise

from actors.call_session.settling import EVERY_S, KEEP_S, Settling


def told(settling: Settling, until_s: float, needed: tuple[float, float] = (0.0, 0.0)) -> list[tuple[float, int]]:
    """Ten messages a second; what was told when, while something is needed from the one time to the other."""
    counts = []
    for tenth in range(1, round(until_s * 10) + 1):
        now = tenth / 10
        settling.received(now)
        count = settling.due(now, is_needed=needed[0] <= now < needed[1])
        if count is not None:
            counts.append((now, count))
    return counts


def test_the_last_moments_are_always_kept() -> None:
    for now, count in told(Settling(), 5.0):
        assert abs(count - (now - KEEP_S) * 10) <= 1


def test_it_is_told_about_once_a_second() -> None:
    times = [now for now, _ in told(Settling(), 10.0)]
    assert all(later - earlier >= EVERY_S - 1e-6 for earlier, later in pairwise(times))
    assert len(times) >= 7


def test_nothing_is_given_up_while_it_is_needed() -> None:
    counts = told(Settling(), 8.0, needed=(3.0, 6.0))
    assert not [now for now, _ in counts if 3.0 <= now < 6.0]
    assert counts[-1][1] >= 60


def test_nothing_is_told_when_nothing_new_is_settled() -> None:
    settling = Settling()
    settling.received(0.0)
    assert settling.due(5.0, is_needed=False) == 1
    assert settling.due(10.0, is_needed=False) is None
