"""Whom a campaign does not dial, and why."""

from datetime import UTC, datetime
from typing import Any

from actors.campaign import protocol as p
from models.campaign import CampaignRules, Outcome, Refusal
from models.contact import Contact
from tests.campaign.running import MINUTE, NOON, RULES, a_contact, asked, attempts, dialling, due, with_rules


def refusal(contact: Contact, rules: CampaignRules = RULES, **answer: Any) -> tuple[Refusal, datetime | None]:
    commands = asked(rules).handle(due(contact, **answer), NOON)
    assert isinstance(commands[0], p.Refuse)
    assert not [command for command in commands if isinstance(command, p.Dial)]
    return commands[0].reason, commands[0].until


def test_a_number_not_to_be_called_is_never_called() -> None:
    assert refusal(a_contact(), do_not_call={"+442079460001"}) == (Refusal.DO_NOT_CALL, None)


def test_nobody_is_called_while_the_lists_cannot_be_asked() -> None:
    assert refusal(a_contact(), do_not_call=None) == (Refusal.DO_NOT_CALL_UNKNOWN, NOON + MINUTE)


def test_who_did_not_agree_is_not_called_unless_the_campaign_needs_no_consent() -> None:
    contact = a_contact(consent=False)
    assert refusal(contact) == (Refusal.NO_CONSENT, None)
    dialling(contact, rules=with_rules(requires_consent=False))


def test_who_lives_nobody_knows_where_is_not_called() -> None:
    assert refusal(a_contact(time_zone=None)) == (Refusal.UNKNOWN_TIME_ZONE, None)
    assert refusal(a_contact(time_zone="Mars/Olympus_Mons")) == (Refusal.UNKNOWN_TIME_ZONE, None)


def test_who_sleeps_waits_for_the_next_opening() -> None:
    waiting = (Refusal.OUTSIDE_WINDOW, datetime(2026, 1, 15, 17, tzinfo=UTC))
    assert refusal(a_contact(time_zone="America/Los_Angeles")) == waiting


def test_all_who_sleep_in_one_zone_are_told_to_wait_at_once() -> None:
    here, there, further = (a_contact(time_zone=f"America/{city}") for city in ("Los_Angeles", "Los_Angeles", "Denver"))
    commands = asked().handle(due(here, there), NOON)
    opens = datetime(2026, 1, 15, 17, tzinfo=UTC)
    zone = p.CloseZone("America/Los_Angeles", Refusal.OUTSIDE_WINDOW, opens)
    refused = [p.Refuse(each.id, Refusal.OUTSIDE_WINDOW, opens) for each in (here, there)]
    assert commands == [refused[0], zone, refused[1]]
    told = asked().handle(due(further, a_contact(consent=False, time_zone="America/Denver")), NOON)
    assert [type(each) for each in told] == [p.Refuse, p.CloseZone, p.Refuse]


def test_who_has_a_holiday_waits_for_the_day_after() -> None:
    rules = with_rules(holidays=["2026-01-15"])
    assert refusal(a_contact(), rules) == (Refusal.HOLIDAY, datetime(2026, 1, 16, 9, tzinfo=UTC))


def test_who_cannot_be_called_before_the_campaign_ends_never_is() -> None:
    rules = with_rules(ends_on="2026-01-15")  # in UTC, the moment at which it is nine in Tokyo
    assert refusal(a_contact(time_zone="Asia/Tokyo"), rules) == (Refusal.NEVER_OPEN, None)


def test_a_contact_whose_attempt_may_still_go_on_is_not_dialled() -> None:
    contact = a_contact(attempts=attempts(Outcome.BUSY, None))
    assert refusal(contact) == (Refusal.ATTEMPT_OPEN, NOON + MINUTE)


def test_a_contact_with_all_its_attempts_is_done() -> None:
    contact = a_contact(attempts=attempts(Outcome.BUSY, Outcome.NOT_PLACED, Outcome.NO_ANSWER))
    assert asked().handle(due(contact), NOON)[0] == p.Finish(contact.id, Outcome.NO_ANSWER)
