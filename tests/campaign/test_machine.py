"""One campaign, event by event: the exact commands, and when it wants to be asked again."""

from dataclasses import replace
from datetime import UTC, date, datetime, time

from actors.campaign import protocol as p
from actors.campaign.machine import AGAIN, CampaignMachine
from models.campaign import WEEKDAYS, CampaignStatus, Outcome, Pacing, Unreached
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


def test_it_claims_as_many_as_it_may_dial_and_dials_them() -> None:
    machine = CampaignMachine(RULES, RUNNING, now=NOON)
    assert machine.deadline(NOON) == NOON
    assert machine.handle(p.Tick(), NOON) == [p.ClaimContacts(2, NOON)]
    assert machine.deadline(NOON) is None, "it waits for the answer"
    one, other = a_contact(), a_contact(attempts=attempts(Outcome.BUSY))
    closing = NOON + 6 * HOUR
    assert machine.handle(due(one, other, next_at=NOON), NOON) == [
        p.Dial(one.id, 1, closing),
        p.Dial(other.id, 2, closing),
    ]
    assert machine.deadline(NOON) == NOON + 2 * SECOND, "the next batch"
    assert machine.handle(p.Tick(), NOON + 2 * SECOND) == [p.ClaimContacts(1, NOON + 2 * SECOND)]


def test_nobody_is_claimed_while_everybody_it_may_dial_is_on_the_phone() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, other, rules=paced(max_concurrency=2), next_at=NOON)
    assert machine.deadline(NOON + MINUTE) is None
    assert machine.handle(p.Tick(), NOON + MINUTE) == []
    ended = machine.handle(p.CallEnded(one.id, 1, Outcome.ANSWERED), NOON + MINUTE)
    assert ended[1:] == [p.ClaimContacts(1, NOON + MINUTE)]


def test_it_sleeps_until_somebody_is_due() -> None:
    machine = asked()
    assert machine.handle(due(next_at=NOON + HOUR), NOON) == []
    assert machine.deadline(NOON) == NOON + HOUR
    assert machine.handle(p.ContactsAdded(), NOON) == [p.ClaimContacts(2, NOON)]


def test_somebody_put_back_during_a_claim_is_not_forgotten() -> None:
    one = a_contact()
    machine = asked(paced(calls_per_minute=6000))
    machine.handle(due(one, next_at=NOON), NOON)
    assert machine.handle(p.Tick(), NOON + SECOND) == [p.ClaimContacts(2, NOON + SECOND)]
    machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), NOON + SECOND)
    assert machine.handle(due(), NOON + 2 * SECOND) == []
    assert machine.deadline(NOON + 2 * SECOND) == NOON + SECOND + 10 * MINUTE


def test_a_campaign_is_not_over_while_somebody_is_being_claimed() -> None:
    one = a_contact()
    machine = dialling(one)
    machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), NOON)
    later = NOON + HOUR
    assert machine.handle(p.Tick(), later) == [p.ClaimContacts(2, later)]
    assert machine.handle(p.Tick(), later) == []
    assert machine.handle(due(), later) == [p.Become(CampaignStatus.COMPLETED)]


def test_a_claim_that_failed_is_made_again_later() -> None:
    machine = asked()
    assert machine.handle(p.ClaimFailed(), NOON) == []
    assert machine.deadline(NOON) == NOON + AGAIN
    assert machine.handle(p.Tick(), NOON + AGAIN) == [p.ClaimContacts(2, NOON + AGAIN)]


def test_a_contact_on_the_phone_is_not_dialled_again_whoever_hands_it_over() -> None:
    one = a_contact()
    machine = dialling(one)
    machine.handle(p.ContactsAdded(), NOON + MINUTE)
    assert machine.handle(due(one), NOON + MINUTE) == []


def test_more_contacts_than_it_may_dial_go_back() -> None:
    machine = asked(paced(max_concurrency=1))
    one, other = a_contact(), a_contact()
    assert machine.handle(due(one, other), NOON)[1:] == [p.RetryAt(other.id, NOON)]


def test_the_daily_cap_ends_the_day_on_the_campaigns_calendar() -> None:
    machine = asked(with_rules(time_zone="Asia/Kolkata", pacing=Pacing(daily_cap=1)))
    machine.handle(due(a_contact(), next_at=NOON), NOON)
    assert machine.deadline(NOON + HOUR) == datetime(2026, 1, 15, 18, 30, tzinfo=UTC)


def test_it_waits_for_its_first_day() -> None:
    rules = with_rules(time_zone="Asia/Kolkata", starts_on=date(2026, 1, 16), starts_at=time(9, 30))
    machine = CampaignMachine(rules, p.Standing(CampaignStatus.SCHEDULED), now=NOON)
    assert machine.handle(p.Tick(), NOON) == []
    starts = datetime(2026, 1, 16, 4, tzinfo=UTC)
    assert machine.deadline(NOON) == starts
    assert machine.handle(p.Tick(), starts) == [p.Become(CampaignStatus.RUNNING), p.ClaimContacts(2, starts)]


def test_a_paused_campaign_dials_nobody_and_lets_calls_end() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, next_at=NOON)
    machine.handle(p.Tick(), NOON + SECOND)
    assert machine.handle(p.Paused(), NOON + SECOND) == []
    assert machine.handle(due(other, next_at=NOON), NOON + SECOND) == [p.RetryAt(other.id, NOON + SECOND)]
    assert not machine.is_at_rest
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.ANSWERED), NOON + MINUTE) == [
        p.Finish(one.id, Outcome.ANSWERED, p.Ended(1, Outcome.ANSWERED))
    ]
    assert machine.is_at_rest
    assert machine.deadline(NOON + MINUTE) is None
    assert machine.handle(p.Resumed(), NOON + HOUR) == [p.ClaimContacts(2, NOON + HOUR)]


def test_a_stopped_campaign_finishes_who_waits_and_ends_with_its_last_call() -> None:
    one, other = a_contact(), a_contact()
    machine = dialling(one, next_at=NOON)
    machine.handle(p.Tick(), NOON + SECOND)
    assert machine.handle(p.Stopped(), NOON + SECOND) == [p.FinishWaiting(Unreached.STOPPED)]
    assert machine.handle(due(other), NOON + SECOND) == [p.Finish(other.id, Unreached.STOPPED)]
    assert not machine.is_over
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), NOON + MINUTE) == [
        p.Finish(one.id, Outcome.BUSY, p.Ended(1, Outcome.BUSY))
    ]
    assert machine.is_over
    assert machine.handle(p.Resumed(), NOON + HOUR) == []


def test_an_attempt_not_placed_by_the_time_it_stops_leaves_the_contact_unreached() -> None:
    one = a_contact()
    machine = dialling(one)
    machine.handle(p.Stopped(), NOON + SECOND)
    assert machine.handle(p.NotPlaced(one.id, 1, p.Cause.LOST), NOON + SECOND) == [
        p.Finish(one.id, Unreached.STOPPED, p.Ended(1, Outcome.NOT_PLACED))
    ]


def test_after_its_last_day_it_completes_once_calls_have_ended() -> None:
    one = a_contact()
    machine = dialling(one, rules=with_rules(ends_on="2026-01-15", windows=[{
        "days": WEEKDAYS, "opens": "00:00", "closes": "00:00"}]), next_at=NOON + 11 * HOUR)  # fmt: skip
    midnight = datetime(2026, 1, 16, tzinfo=UTC)
    machine.handle(p.Tick(), midnight - HOUR)
    assert machine.deadline(midnight - HOUR) == midnight
    late = a_contact()
    assert machine.handle(due(late, next_at=NOON), midnight) == [
        p.Finish(late.id, Unreached.EXPIRED),
        p.FinishWaiting(Unreached.EXPIRED),
    ]
    assert machine.handle(p.Paused(), midnight) == [], "nothing is left to be paused"
    assert machine.handle(p.CallEnded(one.id, 1, Outcome.BUSY), midnight + MINUTE) == [
        p.Finish(one.id, Outcome.BUSY, p.Ended(1, Outcome.BUSY)),
        p.Become(CampaignStatus.COMPLETED),
    ]


def test_the_last_day_of_a_paused_campaign_ends_when_it_is_resumed() -> None:
    machine = CampaignMachine(
        with_rules(ends_on="2026-01-15"), replace(RUNNING, status=CampaignStatus.PAUSED), now=NOON
    )
    late = NOON + 24 * HOUR
    assert machine.handle(p.Tick(), late) == []
    assert machine.handle(p.Resumed(), late) == [
        p.FinishWaiting(Unreached.EXPIRED),
        p.Become(CampaignStatus.COMPLETED),
    ]


def test_a_new_time_zone_moves_the_end_of_the_day() -> None:
    machine = dialling(a_contact(), rules=paced(daily_cap=1), next_at=NOON)
    assert machine.deadline(NOON) == datetime(2026, 1, 16, tzinfo=UTC)
    machine.handle(p.RulesChanged(with_rules(time_zone="Asia/Kolkata", pacing=Pacing(daily_cap=1))), NOON)
    assert machine.deadline(NOON) == datetime(2026, 1, 15, 18, 30, tzinfo=UTC)


def test_new_rules_hold_from_now_on() -> None:
    machine = dialling(a_contact(), rules=paced(max_concurrency=1), next_at=NOON)
    later = NOON + MINUTE
    assert machine.handle(p.RulesChanged(paced(max_concurrency=5, batch_size=10)), later) == [p.ClaimContacts(4, later)]
    contact = a_contact()
    evening = with_rules(windows=[{"days": WEEKDAYS, "opens": "20:00", "closes": "21:00"}])
    machine.handle(p.RulesChanged(evening), later)
    assert isinstance(machine.handle(due(contact), later)[0], p.Refuse)
