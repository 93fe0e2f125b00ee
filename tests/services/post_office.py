"""A shop that writes to its callers: a database of its own, a carrier that can be down, and a clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from models.call import Call, CallStatus
from models.document import Id, new_id
from models.phone import Phone
from models.settings import Settings
from models.sms import SmsMessage
from models.versioned import SmsTemplate, Version
from providers.roles import CarrierCredentials, SendSms, SentSms
from services import carrier_accounts, sms_rules as rules
from services.call_addresses import CallAddresses
from services.sms_runner import SmsRunner
from services.webhook_events import WebhookEvents
from stores.mongo import connect
from stores.repositories import Repositories
from stores.secrets import Secrets
from tests.documents import CONFIG, NOW, a_call, a_phone
from tests.messages import AFTER, VARIABLES, a_template

ACCOUNT = CarrierCredentials("acme", "api.exotel.com", "EXkey", "token")
TO = "+919123456789"


@dataclass
class Network:
    """Plays the carrier: takes a message unless `answer` raises."""

    answer: Callable[[SendSms], None] = lambda _: None
    asked: list[SendSms] = field(default_factory=list)
    pause_s: float = 0.0
    most_at_once: int = 0
    at_once: int = 0

    async def send_sms(self, credentials: CarrierCredentials, sms: SendSms) -> SentSms:
        """As `Telephony.send_sms`."""
        assert credentials == ACCOUNT
        self.asked.append(sms)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.pause_s)
        finally:
            self.at_once -= 1
        self.answer(sms)
        return SentSms(f"sms{len(self.asked)}")


@dataclass
class Post:
    """A shop that writes to its callers, its carrier, and a clock."""

    settings: Settings
    stores: Repositories
    owner: Id
    phone: Phone
    template: Version[SmsTemplate]
    network: Network
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.events = WebhookEvents(self.stores)
        self.runner = self.another_runner()

    def another_runner(self, **options: Any) -> SmsRunner:
        """As another replica has it."""
        own = {
            "secrets": Secrets(self.settings.encryption_key),
            "carrier": self.network,
            "addresses": CallAddresses(self.settings),
            "events": self.events,
            "now": lambda: self.now,
        }
        return SmsRunner(options.pop("stores", self.stores), **cast("Any", own | options))

    async def call(self, **fields: Any) -> Call:
        """A live call of the shop's, of which everything is told."""
        own: dict[str, Any] = {
            "phone_id": self.phone.id,
            "from_phone": self.phone.number,
            "to_phone": TO,
            "agent_config": CONFIG.model_copy(update={"sms_after": AFTER}),
            "versions": {"sms_template_id": self.template.id},
            "variables": VARIABLES,
            "status": CallStatus.IN_PROGRESS,
            "untold": False,
        }
        return await self.stores.calls.insert(a_call(self.owner, **(own | fields)))

    async def over(self, status: CallStatus = CallStatus.COMPLETED, **fields: Any) -> Call:
        """A call that has just ended, with nobody told of it."""
        call = await self.call(**fields)
        over = await self.stores.calls.finish(call.id, status=status, reason="caller", now=self.now)
        assert over is not None
        return over

    async def owed(self) -> SmsMessage:
        """The message of a call that has just ended."""
        call = await self.over()
        await self.events.happened(call, self.now)
        return await self.of(call)

    async def of(self, call: Call) -> SmsMessage:
        """The message of a call, as it is now."""
        return await self.stores.sms_messages.by_id(rules.message_id(call.id))

    async def again(self, message: SmsMessage) -> SmsMessage:
        """A message as it is now."""
        return await self.stores.sms_messages.by_id(message.id)

    async def all(self) -> list[SmsMessage]:
        """Every message of the shop's."""
        return (await self.stores.sms_messages.search(self.owner, page=1, limit=100)).items


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Post]:
    """An empty one."""
    async with connect(settings) as client:
        rows = client[f"{settings.mongodb_database}_sms_runner"]
        stores = Repositories.over(rows)
        for name in ("calls", "smsMessages", "webhookEndpoints", "webhookDeliveries"):
            await rows[name].delete_many({})
        for repository in (stores.calls, stores.sms_messages, stores.webhook_deliveries, stores.sms_templates):
            await repository.create_indexes()
        owner, secrets = new_id(), Secrets(settings.encryption_key)
        phone = await stores.phones.insert(a_phone(owner, carrier=carrier_accounts.sealed(ACCOUNT, secrets)))
        post = Post(settings, stores, owner, phone, await a_template(stores, owner), Network())
        yield post
        await post.runner.aclose()
