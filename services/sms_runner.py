"""Sends text messages: claims what is due, asks the carrier, writes down what it says. Several may run at once.

At most once where nobody knows: before the carrier is asked the message is `sending`, and one whose sender died over
it, or was not answered, is never sent again. What the carrier certainly has not taken is tried again for some hours.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Protocol

from models.document import Id
from models.errors import CallboardError, Conflict, ProviderError
from models.sms import SmsMessage, SmsStatus
from providers.roles import CarrierCredentials, SendSms, SentSms
from services import carrier_accounts, meters, sms_rules as rules
from services.call_addresses import CallAddresses
from services.claim_runner import ClaimRunner
from services.sms_rules import Again
from stores.repositories import Repositories
from stores.secrets import Secrets

logger = logging.getLogger(__name__)

AT_ONCE = 16
PER_ORGANIZATION = 4
SEND_S = 25.0
"""How long the carrier may take in all."""
LEASE = timedelta(seconds=60)
LEAVE_S = 8.0


class Carrier(Protocol):
    """The part of `providers.roles.Telephony` that sends."""

    async def send_sms(self, credentials: CarrierCredentials, sms: SendSms) -> SentSms:
        """As `Telephony.send_sms`."""


class SmsEvents(Protocol):
    """Whoever passes on that messages were sent: `services.webhook_events.WebhookEvents`."""

    async def sms_sent(self, message: SmsMessage, now: datetime) -> None:
        """The carrier has taken this stored message; raises nothing."""


class SmsRunner(ClaimRunner[SmsMessage]):
    """Its owners are organizations. `now` is the clock."""

    noun = "text message"

    def __init__(
        self,
        repositories: Repositories,
        *,
        secrets: Secrets,
        carrier: Carrier,
        addresses: CallAddresses,
        events: SmsEvents,
        now: Callable[[], datetime],
        at_once: int = AT_ONCE,
        per_owner: int = PER_ORGANIZATION,
        leave_s: float = LEAVE_S,
    ) -> None:
        super().__init__(at_once=at_once, per_owner=per_owner, leave_s=leave_s)
        self._messages = repositories.sms_messages
        self._phones = repositories.phones
        self._dnc = repositories.dnc
        self._secrets = secrets
        self._carrier = carrier
        self._addresses = addresses
        self._events = events
        self._now = now

    async def give_up_unanswered(self) -> int:
        """Close the messages whose sender died while it asked the carrier; how many. Raises what PyMongo raises."""
        given_up = await self._messages.fail_unanswered(rules.NOBODY_KNOWS, self._now())
        if given_up:
            logger.warning("text messages were left without an answer", extra={"count": given_up})
            meters.count("sms_messages_total", by=given_up, outcome="unknown")
        return given_up

    async def _claim(self, unless: Collection[Id]) -> SmsMessage | None:
        return await self._messages.claim(self._now(), LEASE, unless=unless)

    def _owner(self, message: SmsMessage) -> Id:
        return message.organization_id

    async def _do(self, claimed: SmsMessage) -> None:
        """Nothing leaves before the do-not-call list was read: when it cannot be, the claim lapses."""
        if rules.is_too_late(claimed, self._now()):
            await self._fail(claimed, rules.LATE, outcome="failed")
            return
        if await self._dnc.blocked(claimed.organization_id, [claimed.to_phone]):
            await self._fail(claimed, rules.DO_NOT_CALL, outcome="do-not-call")
            return
        try:
            credentials = await self._credentials(claimed)
        except CallboardError as error:  # the phone is gone, or its account cannot be opened
            await self._fail(claimed, error.message, outcome="failed")
            return
        asked = await self._messages.begin(claimed, self._now(), LEASE)
        if asked is not None:
            await self._ask(asked, credentials)

    async def _credentials(self, message: SmsMessage) -> CarrierCredentials:
        phone = await self._phones.get(message.organization_id, message.phone_id)
        if phone.status != "active":
            raise Conflict("The phone is inactive")
        return carrier_accounts.opened(phone.carrier, self._secrets)

    async def _ask(self, asked: SmsMessage, credentials: CarrierCredentials) -> None:
        sms = SendSms(
            asked.from_phone,
            asked.to_phone,
            asked.text,
            dlt_template_id=asked.dlt_template_id,
            dlt_entity_id=asked.dlt_entity_id,
            status_url=self._addresses.sms(asked.id),
        )
        try:
            async with asyncio.timeout(SEND_S):
                sent = await self._carrier.send_sms(credentials, sms)
        except TimeoutError:
            await self._fail(asked, rules.NOBODY_KNOWS, outcome="unknown")
        except ProviderError as error:
            await self._refused(asked, error)
        except CallboardError as error:
            await self._fail(asked, error.message, outcome="failed")
        else:
            await self._taken(asked, sent)

    async def _taken(self, asked: SmsMessage, sent: SentSms) -> None:
        meters.count("sms_messages_total", outcome="sent")
        now = self._now()
        moved = await self._messages.forward(asked.id, SmsStatus.SENT, sent.carrier_id, now)
        if moved is not None:  # else the carrier's report was here first
            await self._events.sms_sent(moved, now)

    async def _refused(self, asked: SmsMessage, error: ProviderError) -> None:
        match rules.after_refusal(error, asked.attempts):
            case Again(delay_s):
                now = self._now()
                await self._messages.put_off(asked, error.message, now + timedelta(seconds=delay_s), now)
                meters.count("sms_messages_total", outcome="later")
            case _:
                await self._fail(asked, error.message, outcome="failed")

    async def _fail(self, message: SmsMessage, error: str, *, outcome: str) -> None:
        if await self._messages.fail(message, error, self._now()):
            meters.count("sms_messages_total", outcome=outcome)
