"""What becomes of an attempt, and of those under way when an actor is gone."""

from dataclasses import replace
from datetime import UTC, datetime

from actors.campaign import protocol as p
from actors.campaign.lines import PROBE
from actors.campaign.machine import AGAIN, CARRIER_FAILS, PAUSES, CampaignMachine
from models.campaign import CampaignStatus, Outcome, Refusal, Unreached
from tests.campaign.running import (
    HOUR,
    MINUTE,
    NOON,
    RULES,
    RUNNING,
    SECOND,
    a_contact,
    asked,
    attempts,
    dialling,
    due,
    paced,
    with_rules,
)


def test_whoever_answered_is_done_and_with_the_last_one_the_campaign() -> None:
    one = a_contact()
    machine = dialling(one)
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.ANSWERED), NOON + MINUTE) == [
        p.Finish(one.id, Outcome.ANSWERED, p.Ended(1, Outcome.ANSWERED)),
        p.Become(CampaignStatus.COMPLETED),
    ]
    assert machine.is_over


def test_who_was_busy_is_tried_again_until_the_attempts_are_used_up() -> None:
    one = a_contact()
    machine = dialling(one)
    later = NOON + SECOND + 10 * MINUTE
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), NOON + SECOND) == [
        p.RetryAt(one.id, later, p.Ended(1, Outcome.BUSY))
    ]
    assert machine.deadline(NOON + SECOND) == later
    machine.handle(p.Tick(), later)
    again = one.model_copy(update={"attempts": attempts(Outcome.BUSY)})
    assert isinstance(machine.handle(due(again), later)[0], p.Dial)
    assert machine.handle(p.CallEnded(one.id, 2, Outcome.BUSY), later)[0] == p.Finish(
        one.id, Outcome.BUSY, p.Ended(2, Outcome.BUSY)
    )


def test_another_try_waits_for_the_contacts_window() -> None:
    one = a_contact()
    machine = dialling(one)
    commands = machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), datetime(2026, 1, 15, 17, 55, tzinfo=UTC))
    assert commands == [p.RetryAt(one.id, datetime(2026, 1, 16, 9, tzinfo=UTC), p.Ended(1, Outcome.BUSY))]


def test_there_is_no_other_try_when_no_window_opens_before_the_end() -> None:
    one = a_contact()
    machine = dialling(one, rules=with_rules(ends_on="2026-01-15"))
    commands = machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), datetime(2026, 1, 15, 17, 55, tzinfo=UTC))
    assert commands[0] == p.Finish(one.id, Outcome.BUSY, p.Ended(1, Outcome.BUSY))


def test_news_of_another_attempt_or_the_same_news_again_change_nothing() -> None:
    one = a_contact(attempts=attempts(Outcome.BUSY))
    machine = dialling(one, next_at=NOON + HOUR)
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), NOON + SECOND) == []
    assert len(machine.handle(p.CallEnded(one.id, 2, Outcome.ANSWERED), NOON + SECOND)) == 1
    assert machine.handle(p.CallEnded(one.id, 2, Outcome.ANSWERED), NOON + SECOND) == []
    assert machine.handle(p.NotPlaced(one.id, 2, p.Cause.LOST), NOON + SECOND) == []


def test_an_attempt_that_was_not_placed_costs_the_contact_none_and_holds_everybody_back() -> None:
    one = a_contact()
    machine = dialling(one, rules=paced(daily_cap=1), next_at=NOON)
    assert machine.handle(p.NotPlaced(one.id, 1, p.Cause.NO_CAPACITY, MINUTE), NOON + SECOND) == [
        p.RetryAt(one.id, NOON + SECOND + MINUTE, p.Ended(1, Outcome.NOT_PLACED))
    ]
    assert machine.deadline(NOON + SECOND) == NOON + SECOND + MINUTE


def test_who_was_claimed_before_there_was_no_capacity_goes_back() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, next_at=NOON)
    machine.handle(p.Tick(), NOON + SECOND)
    machine.handle(p.NotPlaced(one.id, 1, p.Cause.NO_CAPACITY, MINUTE), NOON + SECOND)
    assert machine.handle(due(other), NOON + SECOND) == [p.RetryAt(other.id, NOON + SECOND)]
    assert machine.deadline(NOON + SECOND) == NOON + SECOND + MINUTE


def test_no_more_are_dialled_than_there_were_lines_until_one_more_is_worth_a_try() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, other, rules=paced(calls_per_minute=6000), next_at=NOON)
    machine.handle(p.NotPlaced(other.id, 1, p.Cause.NO_CAPACITY), NOON + SECOND)
    assert machine.deadline(NOON + SECOND) == NOON + SECOND + PROBE, "the line there is has somebody on it"
    free = NOON + 20 * SECOND
    ended = machine.handle(p.CallEnded(one.id, 1, Outcome.ANSWERED), free)
    assert ended[1:] == [p.ClaimContacts(1, free)], "it is free again, and three are not asked for"


def test_without_credit_the_campaign_pauses() -> None:
    one = a_contact()
    machine = dialling(one)
    assert machine.handle(p.NotPlaced(one.id, 1, p.Cause.NO_CREDIT), NOON + SECOND) == [
        p.RetryAt(one.id, NOON + SECOND + AGAIN, p.Ended(1, Outcome.NOT_PLACED)),
        p.Become(CampaignStatus.PAUSED, PAUSES[p.Cause.NO_CREDIT]),
    ]


def test_a_contact_somebody_else_has_is_left_alone() -> None:
    one = a_contact()
    machine = dialling(one, next_at=NOON + HOUR)
    assert machine.handle(p.NotPlaced(one.id, 1, p.Cause.TAKEN), NOON + SECOND) == []
    assert machine.live == 0
    # They may give it back, so the store is asked again before long.
    assert machine.deadline(NOON + SECOND) == NOON + SECOND + AGAIN


def test_an_agent_that_is_gone_pauses_the_campaign() -> None:
    one = a_contact()
    commands = dialling(one).handle(p.NotPlaced(one.id, 1, p.Cause.NOT_READY), NOON + SECOND)
    assert commands[-1] == p.Become(CampaignStatus.PAUSED, "not-ready")


def test_a_contact_nobody_can_be_called_with_is_done_and_the_others_go_on() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, other, next_at=None)
    commands = machine.handle(p.NotPlaced(one.id, 1, p.Cause.UNSUITABLE), NOON + SECOND)
    assert commands == [p.Finish(one.id, Refusal.UNSUITABLE, p.Ended(1, Outcome.NOT_PLACED))]
    assert machine.status is CampaignStatus.RUNNING
    assert machine.live == 1


def test_a_carrier_that_fails_pauses_the_campaign() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, other, next_at=NOON)
    machine.handle(p.CallEnded(one.id, 1, Outcome.FAILED), NOON + SECOND)
    failed = machine.handle(p.CallEnded(other.id, 1, Outcome.FAILED), NOON + SECOND)
    assert failed[-1] == p.Become(CampaignStatus.PAUSED, CARRIER_FAILS)
    assert machine.is_at_rest
    assert machine.deadline(NOON + SECOND) is None


def test_a_new_actor_counts_what_is_on_the_phone_and_hears_how_it_ends() -> None:
    one = a_contact(attempts=attempts(Outcome.BUSY, None))
    live = tuple(p.Live(contact, 2, NOON - MINUTE) for contact in (one, a_contact(), a_contact()))
    machine = CampaignMachine(RULES, replace(RUNNING, live=live), now=NOON)
    assert machine.handle(p.Tick(), NOON) == []
    assert machine.handle(p.CallEnded(one.id, 2, Outcome.BUSY), NOON) == [
        p.Finish(one.id, Outcome.BUSY, p.Ended(2, Outcome.BUSY)),
        p.ClaimContacts(1, NOON),
    ]


def test_a_new_actor_keeps_to_what_was_dialled_before() -> None:
    minute = replace(RUNNING, dialled_lately=(NOON - SECOND,) * 60)
    assert CampaignMachine(RULES, minute, now=NOON).deadline(NOON) == NOON + 59 * SECOND
    day = replace(RUNNING, dialled_today=5)
    assert CampaignMachine(paced(daily_cap=5), day, now=NOON).deadline(NOON) == datetime(2026, 1, 16, tzinfo=UTC)
    ended = replace(RUNNING, ended_lately=((NOON - SECOND, Outcome.FAILED),))
    machine, contact = asked(standing=ended), a_contact()
    machine.handle(due(contact), NOON)
    failed = machine.handle(p.CallEnded(contact.id, 1, Outcome.FAILED), NOON)
    assert p.Become(CampaignStatus.PAUSED, CARRIER_FAILS) in failed


def test_a_new_actor_of_a_stopped_campaign_finishes_who_still_waits() -> None:
    machine = CampaignMachine(RULES, p.Standing(CampaignStatus.STOPPED), now=NOON)
    assert not machine.is_over
    assert machine.handle(p.Tick(), NOON) == [p.FinishWaiting(Unreached.STOPPED)]
    assert machine.is_over


def test_a_completed_campaign_has_nothing_to_do() -> None:
    machine = CampaignMachine(RULES, p.Standing(CampaignStatus.COMPLETED), now=NOON)
    assert machine.is_over
    assert machine.handle(p.Stopped(), NOON) == []
