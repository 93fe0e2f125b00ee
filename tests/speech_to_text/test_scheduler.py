"""Who decodes next."""

from hypothesis import given, strategies as st

from actors.speech_to_text.scheduler import Scheduler, Ticket, Verdict


def queued(scheduler: Scheduler, deadline: float) -> Ticket:
    ticket, verdict = scheduler.join(deadline)
    assert verdict is Verdict.QUEUED
    return ticket


def busy(*, turns: int = 1, limit: int = 10) -> Scheduler:
    scheduler = Scheduler(turns=turns, limit=limit)
    for _ in range(turns):
        assert scheduler.join(deadline=100.0)[1] is Verdict.GRANTED
    return scheduler


def test_a_free_turn_is_granted_at_once() -> None:
    scheduler = busy(turns=2)
    assert (scheduler.free, scheduler.waiting) == (0, 0)


def test_the_earliest_deadline_goes_first_and_equal_ones_in_order_of_arrival() -> None:
    scheduler = busy()
    late, early, also_early = queued(scheduler, 9.0), queued(scheduler, 5.0), queued(scheduler, 5.0)
    assert [scheduler.finish(now=1.0) for _ in range(3)] == [early, also_early, late]
    assert scheduler.finish(now=1.0) is None
    assert scheduler.free == 1


def test_a_request_whose_deadline_has_passed_is_skipped() -> None:
    scheduler = busy()
    queued(scheduler, 2.0)
    alive = queued(scheduler, 5.0)
    assert scheduler.finish(now=2.0) == alive
    assert scheduler.waiting == 0


def test_a_request_that_left_is_skipped() -> None:
    scheduler = busy()
    gone, stays = queued(scheduler, 2.0), queued(scheduler, 5.0)
    scheduler.leave(gone)
    scheduler.leave(gone)
    assert scheduler.waiting == 1
    assert scheduler.finish(now=1.0) == stays


def test_one_more_than_the_queue_holds_is_refused_even_with_an_earlier_deadline() -> None:
    scheduler = busy(limit=2)
    queued(scheduler, 8.0)
    queued(scheduler, 9.0)
    assert scheduler.join(deadline=1.0)[1] is Verdict.FULL
    assert scheduler.waiting == 2


def test_requests_that_left_make_room_in_a_full_queue() -> None:
    scheduler = busy(limit=1)
    scheduler.leave(queued(scheduler, 8.0))
    queued(scheduler, 9.0)


def test_a_finished_turn_with_nobody_waiting_is_free_again() -> None:
    scheduler = busy()
    assert scheduler.finish(now=1.0) is None
    assert scheduler.join(deadline=9.0)[1] is Verdict.GRANTED


STEPS = st.lists(st.tuples(st.sampled_from(["join", "leave", "finish"]), st.integers(0, 20)), max_size=60)


@given(STEPS, st.integers(1, 3), st.integers(0, 4))
def test_turns_are_never_lost_never_doubled_and_go_to_the_most_urgent(
    steps: list[tuple[str, int]], turns: int, limit: int
) -> None:
    scheduler, held, waiting, now = Scheduler(turns=turns, limit=limit), 0, dict[Ticket, float](), 0.0
    for step, number in steps:
        now += 0.5
        if step == "join":
            ticket, verdict = scheduler.join(now + number)
            held += verdict is Verdict.GRANTED
            if verdict is Verdict.QUEUED:
                waiting[ticket] = now + number
        elif step == "leave" and waiting:
            ticket = sorted(waiting)[number % len(waiting)]
            scheduler.leave(ticket)
            del waiting[ticket]
        elif step == "finish" and held:
            granted = scheduler.finish(now)
            alive = {ticket: deadline for ticket, deadline in waiting.items() if deadline > now}
            if granted is None:
                held -= 1
                assert not alive
                waiting.clear()
            else:
                assert (waiting[granted], granted) == min((deadline, ticket) for ticket, deadline in alive.items())
                waiting = {t: deadline for t, deadline in waiting.items() if deadline > waiting[granted] or t in alive}
                del waiting[granted]
        assert (scheduler.free, scheduler.waiting) == (turns - held, len(waiting))
        assert len(waiting) <= limit
