from actors.call_session.pool_policy import Roster, Standing


def a_roster(size: int = 3, at_once: int = 2, ready: int = 0) -> Roster:
    roster = Roster(size, at_once)
    for n in range(ready):
        roster.starting(f"a{n}")
        roster.ready(f"a{n}")
    return roster


def test_an_empty_pool_starts_only_so_many_at_once() -> None:
    roster = a_roster(size=3, at_once=2)
    assert roster.to_start() == 2
    roster.starting("a0")
    roster.starting("a1")
    assert roster.to_start() == 0
    roster.ready("a0")
    assert roster.to_start() == 1


def test_a_full_pool_starts_nothing_even_with_every_actor_leased() -> None:
    roster = a_roster(size=2, ready=2)
    roster.lease("s1")
    roster.lease("s2")
    assert roster.to_start() == 0


def test_a_lease_is_exclusive_and_an_exhausted_pool_lends_nothing() -> None:
    roster = a_roster(ready=2)
    assert {roster.lease("s1"), roster.lease("s2")} == {"a0", "a1"}
    assert roster.lease("s3") is None


def test_an_actor_that_is_starting_is_not_lent() -> None:
    roster = a_roster()
    roster.starting("a0")
    assert roster.lease("s1") is None


def test_one_session_gets_one_actor() -> None:
    roster = a_roster(ready=2)
    assert roster.lease("s1") is not None
    assert roster.lease("s1") is None
    assert roster.count(Standing.IDLE) == 1


def test_the_least_used_actor_answers_next() -> None:
    roster = a_roster(ready=2)
    first = roster.lease("s1") or ""
    roster.returned(first, "s1")
    assert roster.lease("s2") not in (None, first)


def test_a_late_return_does_not_free_the_next_calls_actor() -> None:
    roster = a_roster(size=1, ready=1)
    roster.lease("s1")
    roster.returned("a0", "s1")
    roster.lease("s2")
    roster.returned("a0", "s1")
    assert roster.holds("a0", "s2")
    assert roster.lease("s3") is None


def test_a_lost_actor_is_replaced() -> None:
    roster = a_roster(size=2, ready=2)
    roster.lease("s1")
    roster.lost("a0")
    assert roster.to_start() == 1


def test_an_actor_found_in_a_call_is_leased_for_it() -> None:
    roster = a_roster()
    roster.ready("a0", session_id="s1")
    assert roster.holds("a0", "s1")


def test_losing_an_unknown_actor_is_nothing() -> None:
    roster = a_roster(ready=1)
    roster.lost("nobody")
    assert len(roster.members) == 1
