"""Carries out a `Dial`: the attempt is put on record under its call's id, then dialled once, if it still may be."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from actors.campaign import protocol as p
from actors.campaign.around import Around
from actors.campaign.errands import until_done
from actors.campaign.fence import TooLate, dialled_before
from actors.campaign.watch import OpenAttempt, Watch
from models.call import CampaignCall
from models.campaign import Campaign, Outcome
from models.contact import Contact
from models.document import new_id
from models.errors import (
    CallboardError,
    CreditUnavailable,
    DoNotCall,
    Forbidden,
    InsufficientCredits,
    Invalid,
    NoCapacity,
    NotFound,
    ProviderError,
)
from models.user import User
from services.permissions import permissions_of
from services.principal import Principal
from stores.outage import AWAY

logger = logging.getLogger(__name__)

DIAL = timedelta(seconds=30)
"""An attempt is dialled within so long, or never. Far less than what it takes to be called lost (`watch.ATTEMPT`)."""
CAUSES: Mapping[type[CallboardError], p.Cause] = {
    NoCapacity: p.Cause.NO_CAPACITY,
    CreditUnavailable: p.Cause.NO_CAPACITY,
    InsufficientCredits: p.Cause.NO_CREDIT,
    DoNotCall: p.Cause.TOO_LATE,  # the next claim finds it on the list
    TooLate: p.Cause.TOO_LATE,
    Invalid: p.Cause.NOT_READY,
    NotFound: p.Cause.NOT_READY,
    Forbidden: p.Cause.NOT_READY,
}
"""Why a call was not made; the first that fits."""
OWN = {"toPhone", "variables"}
"""What `place_outbound` calls a number, and values that are too long."""


class Dialling:
    """For one life of a campaign's actor, called `runner` in the store."""

    def __init__(self, around: Around, runner: str, watch: Watch) -> None:
        self._around = around
        self._runner = runner
        self._watch = watch

    async def dial(self, command: p.Dial, campaign: Campaign, contact: Contact, user: User | None) -> p.Event | None:
        """What became of it; None: the watch will find out. `user` is whom the campaign calls for."""
        began = self._around.now()
        attempt = OpenAttempt(contact.id, command.attempt, new_id(), began)
        if not await until_done(lambda: self._begin(attempt), "an attempt"):
            return self._not_placed(attempt, p.Cause.TAKEN)
        before = min(command.before, began + DIAL)
        left = before - self._around.now()
        if left <= timedelta(0):
            return self._not_placed(attempt, p.Cause.TOO_LATE)
        self._watch.add(attempt)
        try:
            with dialled_before(before):
                async with asyncio.timeout(left.total_seconds()):
                    return await self._placed(attempt, campaign, contact, user)
        except TimeoutError:
            logger.warning("a campaign's call took too long to place", extra={"campaign": campaign.id})
        except AWAY as error:
            problem = type(error).__name__
            logger.warning("a campaign's call broke off", extra={"campaign": campaign.id, "problem": problem})
        except Exception:
            logger.exception("a campaign's call broke off", extra={"campaign": campaign.id})
        return None

    async def _begin(self, attempt: OpenAttempt) -> bool:
        return await self._around.contacts.begin_attempt(
            attempt.contact_id, attempt.number, attempt.call_id, attempt.at, runner=self._runner
        )

    async def _placed(
        self, attempt: OpenAttempt, campaign: Campaign, contact: Contact, user: User | None
    ) -> p.Event | None:
        try:
            check_user(user, campaign)
            await self._around.dialler.place_outbound(
                Principal(campaign.user_id, campaign.organization_id),
                from_phone=campaign.from_phone,
                to_phone=contact.number,
                agent_id=campaign.agent_id,
                metadata={},
                now=self._around.now(),
                call_id=attempt.call_id,
                variables=contact.variables,
                campaign=CampaignCall(campaign_id=campaign.id, contact_id=contact.id, attempt=attempt.number),
            )
        except CallboardError as error:
            return await self._refused(attempt, error)
        return None

    async def _refused(self, attempt: OpenAttempt, error: CallboardError) -> p.Event | None:
        """What an error means. A call that is in the log is over in its words, unless the carrier was never asked."""
        is_logged = attempt.call_id in await self._around.calls.states([attempt.call_id])
        if is_logged and isinstance(error, ProviderError) and not is_in_doubt(error):
            return self._told(attempt, p.CallEnded(attempt.contact_id, attempt.number, Outcome.FAILED))
        cause = p.Cause.UNSUITABLE if is_contacts_own(error) else _cause(error)
        if cause is None or (is_logged and not isinstance(error, TooLate)):
            return None
        retry_after = timedelta(seconds=getattr(error, "retry_after_s", 0))
        return self._told(attempt, self._not_placed(attempt, cause, retry_after))

    def _told(self, attempt: OpenAttempt, event: p.Event) -> p.Event:
        self._watch.drop(attempt.call_id)
        return event

    def _not_placed(self, attempt: OpenAttempt, cause: p.Cause, retry_after: timedelta = timedelta(0)) -> p.NotPlaced:
        if cause is not p.Cause.TAKEN:
            logger.info("a campaign's call was not placed", extra={"cause": cause.value})
        return p.NotPlaced(attempt.contact_id, attempt.number, cause, retry_after)


def check_user(user: User | None, campaign: Campaign) -> None:
    """Raises Forbidden unless the user for whom the campaign calls is there, and may."""
    is_there = user is not None and user.is_active and user.organization_id == campaign.organization_id
    if user is None or not is_there or "calls:write" not in permissions_of(user.organization_role):
        raise Forbidden("The user for whom the campaign calls may not place calls")


def is_contacts_own(error: CallboardError) -> bool:
    """Whether a call is refused for what is known of the contact. A value that is not there at all is missed by the
    agent's words, which somebody has changed since the campaign was started: that is everybody's.
    """
    fields = {each.field for each in error.fields} if isinstance(error, Invalid) else set()
    return bool(fields) and fields <= OWN and not isinstance(error, DoNotCall)


def _cause(error: CallboardError) -> p.Cause | None:
    return next((cause for kind, cause in CAUSES.items() if isinstance(error, kind)), None)


def is_in_doubt(error: ProviderError) -> bool:
    """Whether the carrier may be dialling all the same: its answer was lost, not its refusal heard."""
    return error.__cause__ is not None and not error.retryable
