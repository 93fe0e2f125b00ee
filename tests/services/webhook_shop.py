"""A shop that has webhooks: a database of its own, a receiver that can be down, and a clock."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from models.call import Call, CallStatus
from models.document import Id, new_id
from models.errors import ProviderError
from models.settings import Settings
from models.webhook import EVENT_TYPES, EventType, WebhookEndpoint
from providers.tools.addresses import AddressGuard
from providers.webhooks import Answer, Post
from services.audit import AuditService
from services.principal import Principal
from services.webhook_events import WebhookEvents
from services.webhook_runner import WebhookRunner
from services.webhook_sending import WebhookSending
from services.webhooks import WebhookService
from stores.mongo import connect
from stores.repositories import Repositories
from stores.secrets import Secrets
from tests.documents import NOW, a_call

SECRET = "my-secret-key"
HOOK = "https://crm.example.com/hook"
IN_LOOPBACK = AddressGuard(frozenset({"127.0.0.1"}))


@dataclass
class Received:
    """One request that reached the receiver."""

    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def id(self) -> str:
        """The event's."""
        return self.headers["X-Webhook-Id"]


@dataclass
class Receiver:
    """Plays `providers.webhooks.Post`: answers with what `answer` says, None being nobody there."""

    answer: Callable[[Received], int | None] = lambda _: 200
    got: list[Received] = field(default_factory=list)
    """What it was asked, in order, taken or not."""
    taken: list[Received] = field(default_factory=list)
    pause_s: float = 0.0
    at_once: int = 0
    most_at_once: int = 0

    async def send(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """As `Post.send`."""
        received = Received(url, headers, content)
        self.got.append(received)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.pause_s)
        finally:
            self.at_once -= 1
        status = self.answer(received)
        if status is None:
            raise ProviderError("The receiver cannot be reached", provider="webhook", retryable=True)
        if status < 300:
            self.taken.append(received)
        return Answer(status, "words", 7)


@dataclass
class Shop:
    """Everything a test may touch."""

    stores: Repositories
    principal: Principal
    secrets: Secrets
    receiver: Receiver
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.events = WebhookEvents(self.stores)
        self.runner = self.another_runner()
        self.service = self.service_with(self.receiver)

    def another_runner(self, post: Post | None = None, **options: int) -> WebhookRunner:
        """As another replica has it."""
        sending = WebhookSending(self.secrets, post or self.receiver)
        return WebhookRunner(self.stores, sending, lambda: self.now, **options)

    def service_with(self, post: Post, guard: AddressGuard | None = None) -> WebhookService:
        """The service, sending its tests there."""
        return WebhookService(
            self.stores,
            AuditService(self.stores.audit),
            secrets=self.secrets,
            guard=guard or AddressGuard(),
            sending=WebhookSending(self.secrets, post),
        )

    async def endpoint(self, url: str = HOOK, events: tuple[EventType, ...] = EVENT_TYPES) -> WebhookEndpoint:
        """A new one of the shop's."""
        service = self.service_with(self.receiver, IN_LOOPBACK)
        made, _ = await service.create(
            self.principal, name="CRM", url=url, events=events, secret=SECRET, is_active=True, now=self.now
        )
        return made

    async def call(self, **fields: Any) -> Call:
        """A call that is stored, and of which nobody was told."""
        own = {"created_at": self.now, "updated_at": self.now}
        organization_id = fields.pop("organization_id", self.principal.organization_id)
        return await self.stores.calls.insert(a_call(organization_id, **(own | fields)))

    async def whole_call(self) -> Call:
        """A call that rang, was answered and ended, with nobody told of any of it."""
        call = await self.call()
        for status in (CallStatus.RINGING, CallStatus.IN_PROGRESS):
            self.now += timedelta(seconds=1)
            await self.stores.calls.advance(call.id, status, self.now)
        self.now += timedelta(seconds=60)
        over = await self.stores.calls.finish(call.id, status=CallStatus.COMPLETED, reason="caller", now=self.now)
        assert over is not None
        return over

    async def pass_time(self, seconds: float, step_s: float = 1.0) -> None:
        """Deliver what becomes due in that time."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            await self.runner.drain()
            self.now = min(until, self.now + timedelta(seconds=step_s))
        await self.runner.drain()


WHOLE_CALL = (
    *("call.initiated", "call.state_changed.ringing", "call.state_changed.in-progress", "call.answered"),
    *("call.started", "call.state_changed.final", "call.completed", "call.ended"),
)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Shop]:
    """An empty one."""
    async with connect(settings) as client:
        rows = client[f"{settings.mongodb_database}_webhooks"]
        stores = Repositories.over(rows)
        for name in ("calls", "webhookEndpoints", "webhookDeliveries", "audit"):
            await rows[name].delete_many({})
        for repository in (stores.calls, stores.webhooks, stores.webhook_deliveries):
            await repository.create_indexes()
        shop = Shop(stores, Principal(new_id(), new_id(), "owner"), Secrets(settings.encryption_key), Receiver())
        yield shop
        await shop.runner.aclose()


def events_of(call_id: Id, *names: str) -> list[str]:
    """The ids of a call's events."""
    return [f"{call_id}.{name}" for name in names]
