"""What is made of the call of an attempt, of a carrier's error, and of what people decide meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from actors.campaign import protocol as p
from actors.campaign.dialling import check_user, is_in_doubt
from actors.campaign.fence import TooLate, dialled_before, fenced
from actors.campaign.news import news_of
from actors.campaign.watch import ANSWERER, ATTEMPT, OpenAttempt, came_of
from models.call import CallStatus
from models.campaign import CampaignRules, CampaignStatus, Change, Outcome
from models.document import new_id
from models.errors import Forbidden, ProviderError
from providers.roles import CarrierCredentials, PlaceCall
from stores.calls import CallState
from tests.campaign.stage import BEGINS, a_campaign
from tests.documents import a_user
from tests.switchboard import Carrier

SECOND = timedelta(seconds=1)
DOUBT = timedelta(seconds=60)
ATTEMPT_1 = OpenAttempt(new_id(), 1, new_id(), BEGINS)
ACCOUNT = CarrierCredentials(sid="acme", subdomain="api.exotel.com", api_key="key", api_token="token")
ORDER = PlaceCall("+911", "+912", "wss://x", "https://x", 45, 3600)


def came(call: CallState | None, after: timedelta) -> p.Event | None:
    """Of an attempt that began so long ago."""
    return came_of(ATTEMPT_1, call, BEGINS + after, DOUBT)


def a_call(status: CallStatus, **fields: Any) -> CallState:
    """One that the carrier has named and that is over since the beginning."""
    return CallState(**({"status": status, "carrier_call_id": "sid", "ended_at": BEGINS} | fields))


def ended(outcome: Outcome) -> p.CallEnded:
    """The attempt, with that outcome."""
    return p.CallEnded(ATTEMPT_1.contact_id, 1, outcome)


def test_an_attempt_without_a_call_is_lost_in_time() -> None:
    assert came(None, ATTEMPT - SECOND) is None
    assert came(None, ATTEMPT) == p.NotPlaced(ATTEMPT_1.contact_id, 1, p.Cause.LOST)


@pytest.mark.parametrize("status", [CallStatus.INITIATED, CallStatus.RINGING, CallStatus.IN_PROGRESS])
def test_a_call_that_goes_on_is_waited_for(status: CallStatus) -> None:
    assert came(a_call(status, ended_at=None), 100 * ATTEMPT) is None


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (a_call(CallStatus.BUSY), Outcome.BUSY),
        (a_call(CallStatus.NO_ANSWER), Outcome.NO_ANSWER),
        (a_call(CallStatus.CANCELED, carrier_call_id=None), Outcome.CANCELED),
        (a_call(CallStatus.FAILED), Outcome.FAILED),
        (a_call(CallStatus.COMPLETED, answered_by="human"), Outcome.ANSWERED),
        (a_call(CallStatus.COMPLETED, answered_by="machine-ivr"), Outcome.MACHINE),
    ],
)
def test_a_call_that_is_over_is_told_at_once(call: CallState, outcome: Outcome) -> None:
    assert came(call, SECOND / 2) == ended(outcome)


def test_who_picked_up_may_be_known_a_moment_later() -> None:
    call = a_call(CallStatus.COMPLETED)
    assert came(call, ANSWERER - SECOND / 10) is None
    assert came(call, ANSWERER) == ended(Outcome.ANSWERED)


def test_a_call_that_failed_before_the_carrier_named_it_may_be_ringing() -> None:
    call = a_call(CallStatus.FAILED, carrier_call_id=None)
    assert came(call, DOUBT - SECOND) is None
    assert came(call, DOUBT) == ended(Outcome.FAILED)


def test_only_an_answer_that_was_lost_leaves_a_doubt() -> None:
    refused = ProviderError("no", provider="exotel", retryable=False)
    lost = ProviderError("nobody knows", provider="exotel", retryable=False)
    lost.__cause__ = ConnectionError()
    never_sent = ProviderError("unreachable", provider="exotel", retryable=True)
    never_sent.__cause__ = ConnectionError()
    assert [is_in_doubt(each) for each in (refused, lost, never_sent)] == [False, True, False]


async def test_after_its_moment_nothing_is_dialled_any_more() -> None:
    carrier, now = Carrier(), BEGINS
    line = fenced(carrier, lambda: now)
    with dialled_before(BEGINS + SECOND):
        await line.place_call(ACCOUNT, ORDER)
        now = BEGINS + SECOND
        with pytest.raises(TooLate):
            await line.place_call(ACCOUNT, ORDER)
    await line.place_call(ACCOUNT, ORDER)
    assert len(carrier.placed) == 2
    assert await line.fetch_call(ACCOUNT, "sid") is None


def test_a_user_who_may_not_call_any_more_stops_the_campaign() -> None:
    campaign = a_campaign()
    user = a_user(campaign.organization_id)
    check_user(user, campaign)
    changes: list[dict[str, Any]] = [
        {"is_active": False},
        {"organization_id": new_id()},
        {"organization_role": "viewer"},
    ]
    for nobody in (None, *(user.model_copy(update=change) for change in changes)):
        with pytest.raises(Forbidden):
            check_user(nobody, campaign)


def test_news_is_what_people_decided_since_in_their_order() -> None:
    by = new_id()
    before = a_campaign(changes=(Change(number=1, status=CampaignStatus.RUNNING, at=BEGINS),))
    decided = (CampaignStatus.PAUSED, by), (CampaignStatus.RUNNING, by), (CampaignStatus.PAUSED, None)
    changes = [
        Change(number=number, status=status, at=BEGINS, by=who) for number, (status, who) in enumerate(decided, 2)
    ]
    after = before.model_copy(update={"news": 3, "changes": (*before.changes, *changes)})
    assert news_of(before, after) == [p.Paused(), p.Resumed(), p.ContactsAdded()]
    assert news_of(before, before.model_copy(update={"changes": after.changes})) == []
    rules = CampaignRules(requires_consent=False)
    changed = before.model_copy(update={"news": 2, "rules": rules})
    assert news_of(before, changed) == [p.RulesChanged(rules), p.ContactsAdded()]
