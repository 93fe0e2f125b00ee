"""A campaign's machine in the middle of its work, and what comes to it, for tests that care about one event."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any

from actors.campaign import protocol as p
from actors.campaign.machine import CampaignMachine
from models.campaign import WEEKDAYS, Breaker, CampaignRules, CampaignStatus, Outcome, Pacing, Retries, Retry, Window
from models.contact import Attempt, Contact
from models.document import new_id

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RUNNING = p.Standing(CampaignStatus.RUNNING)
RULES = CampaignRules(
    windows=(Window(days=WEEKDAYS, opens=time(9), closes=time(18)),),
    pacing=Pacing(max_concurrency=3, calls_per_minute=60, batch_size=2),
    retries=Retries(max_attempts=2, busy=Retry(max_attempts=2, delay_s=600)),
    breaker=Breaker(min_calls=2, failure_share=1.0),
)


def with_rules(**fields: Any) -> CampaignRules:
    """RULES with other ones in place."""
    return CampaignRules.model_validate({**RULES.model_dump(), **fields})


def paced(**fields: Any) -> CampaignRules:
    """RULES with another pace."""
    return with_rules(pacing={**RULES.pacing.model_dump(), **fields})


def a_contact(**fields: Any) -> Contact:
    """A Londoner who agreed to be called and has just been claimed."""
    own: dict[str, Any] = {
        "created_at": NOON,
        "updated_at": NOON,
        "organization_id": new_id(),
        "campaign_id": new_id(),
        "number": "+442079460001",
        "time_zone": "Europe/London",
        "consent": True,
        "state": "dialing",
    }
    return Contact(**(own | fields))


def attempts(*outcomes: Outcome | None) -> tuple[Attempt, ...]:
    """What a contact's attempts came to; None: nobody knows."""
    return tuple(
        Attempt(number=number, call_id=new_id(), at=NOON - HOUR, outcome=outcome)
        for number, outcome in enumerate(outcomes, 1)
    )


def due(*contacts: Contact, do_not_call: Collection[str] | None = (), next_at: datetime | None = None) -> p.ContactsDue:
    """The answer to a claim; `do_not_call` as in the event."""
    return p.ContactsDue(contacts, do_not_call, next_at)


def asked(rules: CampaignRules = RULES, standing: p.Standing = RUNNING, now: datetime = NOON) -> CampaignMachine:
    """A machine that has just claimed its first contacts."""
    machine = CampaignMachine(rules, standing, now=now)
    assert [type(command) for command in machine.handle(p.Tick(), now)] == [p.ClaimContacts]
    return machine


def dialling(*contacts: Contact, rules: CampaignRules = RULES, next_at: datetime | None = None) -> CampaignMachine:
    """A machine with these contacts on the phone."""
    machine = asked(rules)
    commands = machine.handle(due(*contacts, next_at=next_at), NOON)
    assert [type(command) for command in commands if not isinstance(command, p.ClaimContacts)] == [p.Dial] * len(
        contacts
    )
    return machine
