"""Who gets an actor, and how many there are, as sequences of events."""

from actors.call_session.pool_policy import (
    DRAINING,
    FULL,
    SPEECH_TO_TEXT,
    STARTING,
    SURPLUS_S,
    Refusal,
    Roster,
    Rules,
    Standing,
)
from models.settings import Settings


def a_roster(slots: int = 3, idle_min: int | None = None, *, ready: int = 0, max_calls: int = 200) -> Roster:
    rules = Rules(slots, slots if idle_min is None else idle_min, max_calls=max_calls, max_rss_bytes=1000)
    roster = Roster(rules)
    for n in range(ready):
        roster.starting(f"a{n}", 0.0)
        roster.warm(f"a{n}", 0.0)
    return roster


def leased(roster: Roster, session_id: str, now: float = 0.0) -> str:
    name = roster.lease(session_id, now)
    assert isinstance(name, str)
    return name


def reason(answer: object) -> str | None:
    return answer.reason if isinstance(answer, Refusal) else None


def started(roster: Roster, now: float, took_s: float = 2.0) -> None:
    """All that are to start now do so, and are warm."""
    while count := roster.to_start(now):
        for n in range(count):
            roster.starting(f"s{now}-{n}-{len(roster.members)}", now - took_s)
        for member in roster.members:
            if member.standing is Standing.STARTING:
                roster.warm(member.name, now)


# --- how many ---------------------------------------------------------------------------------------------
def test_the_rules_of_a_node_come_from_the_settings() -> None:
    settings = Settings(_env_file=None, call_idle_min=4, call_actor_max_calls=7, call_actor_max_mb=300)
    assert Rules.of(settings, 3) == Rules(3, 3, 2, 7, 300_000_000)
    assert Rules.of(settings, 400).at_once == 12


def test_an_empty_pool_starts_only_so_many_at_once() -> None:
    roster = a_roster(3)
    assert roster.to_start(0.0) == 2
    roster.starting("a0", 0.0)
    roster.starting("a1", 0.0)
    assert roster.to_start(0.0) == 0
    roster.warm("a0", 2.0)
    assert roster.to_start(2.0) == 1


def test_a_pool_keeps_a_few_actors_idle_and_not_all_it_has_room_for() -> None:
    roster = a_roster(100, 4)
    assert not roster.is_open(0.0)
    started(roster, 0.0)
    assert (len(roster.members), roster.is_open(0.0)) == (4, True)


def test_a_leased_actor_is_made_up_for_at_once() -> None:
    roster = a_roster(100, 2, ready=2)
    leased(roster, "s1")
    assert roster.to_start(0.0) == 1


def test_calls_that_come_fast_are_started_for_ahead() -> None:
    roster = a_roster(100, 2)
    now = 0.0
    for n in range(50):
        now = n * 0.5
        started(roster, now, took_s=4.0)
        leased(roster, f"s{n}", now)
    # 2 a second, 4 s a start, half as much again, and the least there should be
    assert roster.target(now) == 12 + 2
    assert roster.target(now + 30.0) == 6 + 2
    assert roster.target(now + 600.0) == 2


def test_a_full_pool_starts_nothing_even_with_every_actor_leased() -> None:
    roster = a_roster(2, ready=2)
    leased(roster, "s1")
    leased(roster, "s2")
    assert roster.to_start(0.0) == 0
    assert reason(roster.lease("s3", 0.0)) == FULL


def test_what_nobody_needs_is_let_go_after_a_while_and_one_by_one() -> None:
    roster = a_roster(10, 2, ready=6)
    assert roster.to_stop(0.0) == []
    assert roster.to_stop(SURPLUS_S - 1) == []
    assert len(roster.to_stop(SURPLUS_S)) == 1
    assert len(roster.to_stop(SURPLUS_S + 2)) == 1
    assert len(roster.to_stop(SURPLUS_S + 4)) == 1
    assert roster.to_stop(SURPLUS_S + 6) == []  # one more than needed stays: calls come and go
    assert roster.free(SURPLUS_S + 6) == 3


def test_a_busy_moment_keeps_what_seemed_too_many() -> None:
    roster = a_roster(10, 2, ready=6)
    roster.to_stop(0.0)
    for n in range(4):
        leased(roster, f"s{n}", SURPLUS_S - 2)
    roster.to_stop(SURPLUS_S - 1)
    for n in range(4):
        roster.returned(f"a{n}", f"s{n}", 0)
    assert roster.to_stop(SURPLUS_S) == []


# --- leases -----------------------------------------------------------------------------------------------
def test_a_lease_is_exclusive_and_an_exhausted_pool_lends_nothing() -> None:
    roster = a_roster(2, ready=2)
    assert {leased(roster, "s1"), leased(roster, "s2")} == {"a0", "a1"}
    assert reason(roster.lease("s3", 0.0)) == FULL


def test_an_actor_that_is_starting_is_not_lent() -> None:
    roster = a_roster()
    roster.starting("a0", 0.0)
    assert roster.lease("s1", 0.0) == Refusal(STARTING, 3)


def test_one_session_gets_one_actor_however_often_it_asks() -> None:
    roster = a_roster(ready=2)
    assert leased(roster, "s1") == leased(roster, "s1")
    assert roster.count(Standing.IDLE) == 1


def test_the_least_used_actor_answers_next() -> None:
    roster = a_roster(ready=2)
    first = leased(roster, "s1")
    assert roster.returned(first, "s1", 0)
    assert leased(roster, "s2") != first


def test_a_late_return_does_not_free_the_next_calls_actor() -> None:
    roster = a_roster(1, ready=1)
    leased(roster, "s1")
    roster.returned("a0", "s1", 0)
    leased(roster, "s2")
    roster.returned("a0", "s1", 0)
    assert roster.holds("a0", "s2")


# --- reservations -----------------------------------------------------------------------------------------
def test_what_is_kept_for_one_call_is_not_lent_to_another() -> None:
    roster = a_roster(1, ready=1)
    assert roster.reserve("s1", now=0.0, until=45.0) is None
    assert reason(roster.lease("s2", 1.0)) == FULL
    assert reason(roster.reserve("s2", now=1.0, until=45.0)) == FULL
    assert leased(roster, "s1", 2.0) == "a0"


def test_a_reservation_lapses_by_itself() -> None:
    roster = a_roster(1, ready=1)
    roster.reserve("s1", now=0.0, until=45.0)
    assert leased(roster, "s2", 45.0) == "a0"
    assert reason(roster.lease("s1", 46.0)) == FULL


def test_a_cancelled_reservation_makes_room_at_once() -> None:
    roster = a_roster(1, ready=1)
    roster.reserve("s1", now=0.0, until=45.0)
    roster.cancel("s1")
    roster.cancel("s1")
    assert roster.reserve("s2", now=0.0, until=45.0) is None


def test_asking_again_makes_a_reservation_last_longer_and_takes_no_second_actor() -> None:
    roster = a_roster(2, ready=2)
    roster.reserve("s1", now=0.0, until=45.0)
    roster.reserve("s1", now=40.0, until=85.0)
    assert (roster.reserved(80.0), roster.free(80.0)) == (1, 1)


def test_should_a_kept_actor_die_the_next_one_takes_its_place() -> None:
    roster = a_roster(2, 1, ready=1)
    roster.reserve("s1", now=0.0, until=45.0)
    roster.lost("a0")
    assert roster.lease("s1", 1.0) == Refusal(STARTING, 1)  # by the starts measured
    assert roster.to_start(1.0) == 2
    roster.starting("a1", 1.0)
    roster.warm("a1", 1.0)
    assert reason(roster.lease("s2", 2.0)) == STARTING
    assert leased(roster, "s1", 2.0) == "a1"


def test_a_call_whose_reservation_was_forgotten_takes_any_idle_actor() -> None:
    roster = a_roster(2, ready=2)
    roster.reserve("s1", now=0.0, until=45.0)
    assert leased(roster, "forgotten", 1.0)
    assert leased(roster, "s1", 1.0)


def test_while_nobody_could_understand_more_callers_nothing_is_kept_but_reserved_calls_go_on() -> None:
    roster = a_roster(3, ready=3)
    roster.reserve("s1", now=0.0, until=45.0)
    roster.is_admitting = False
    assert reason(roster.reserve("s2", now=1.0, until=45.0)) == SPEECH_TO_TEXT
    assert leased(roster, "s1", 2.0)
    assert leased(roster, "resumed", 2.0)


# --- ends -------------------------------------------------------------------------------------------------
def test_an_actor_that_had_its_calls_retires() -> None:
    roster = a_roster(1, ready=1, max_calls=2)
    leased(roster, "s1")
    assert roster.returned("a0", "s1", 0)
    leased(roster, "s2")
    assert not roster.returned("a0", "s2", 0)
    assert (roster.members, roster.to_start(0.0)) == ((), 1)


def test_an_actor_that_has_grown_too_big_retires_when_its_call_is_over() -> None:
    roster = a_roster(1, ready=1)
    leased(roster, "s1")
    assert not roster.returned("a0", "s1", 1000)


def test_a_lost_actor_is_replaced() -> None:
    roster = a_roster(2, ready=2)
    leased(roster, "s1")
    assert roster.lost("a0")
    assert not roster.lost("a0")
    assert roster.to_start(0.0) == 1


def test_an_actor_found_in_a_call_is_leased_for_it() -> None:
    roster = a_roster()
    roster.found("a0", session_id="s1")
    assert roster.holds("a0", "s1")


def test_actors_of_another_revision_end_with_their_calls_and_take_up_room_until_then() -> None:
    roster = a_roster(2)
    roster.found("old-busy", session_id="s1", is_current=False)
    roster.found("old-idle", session_id=None, is_current=False)
    assert reason(roster.lease("s2", 0.0)) == STARTING
    assert roster.to_stop(0.0) == ["old-idle"]
    assert roster.to_start(0.0) == 1
    roster.starting("new", 0.0)
    roster.warm("new", 1.0)
    assert roster.is_open(1.0)
    assert not roster.returned("old-busy", "s1", 0)
    assert roster.to_start(1.0) == 1


def test_a_draining_pool_lets_idle_actors_go_and_keeps_its_promises() -> None:
    roster = a_roster(4, ready=4)
    leased(roster, "talks")
    roster.reserve("rings", now=0.0, until=45.0)
    roster.is_draining = True
    assert len(roster.to_stop(0.0)) == 2
    assert reason(roster.lease("new", 0.0)) == DRAINING
    assert reason(roster.reserve("new", now=0.0, until=45.0)) == DRAINING
    assert leased(roster, "rings", 1.0)
    assert roster.returned("a0", "talks", 0)
    assert roster.to_stop(2.0) == ["a0"]
    assert (roster.to_start(2.0), roster.is_open(2.0)) == (0, True)


def test_a_doubted_actor_is_lent_to_nobody_until_somebody_knows() -> None:
    roster = a_roster(1, ready=1)
    roster.doubted("a0")
    assert reason(roster.lease("s1", 0.0)) == FULL
    roster.found("a0", session_id=None)
    assert leased(roster, "s1") == "a0"
