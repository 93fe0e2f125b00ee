"""Whoever places calls, and the people who are called. What really rang is counted here, where no crash reaches."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from actors.campaign.fence import fenced
from models.call import Call, CallStatus, CampaignCall
from models.campaign import Outcome
from models.document import Id
from models.errors import CallboardError, CreditUnavailable, NoCapacity, ProviderError
from providers.roles import CarrierCredentials, PlaceCall, PlacedCall
from services.principal import Principal
from stores.calls import CallState
from tests.campaign.memory import Clock, Data
from tests.campaign.process import Process
from tests.documents import a_call
from tests.switchboard import Carrier

RING_S = 30.0
SWEPT_S = 60.0
"""A call that nobody answered for so long is closed."""
ENDS: Mapping[Outcome, CallStatus] = {
    Outcome.ANSWERED: CallStatus.COMPLETED,
    Outcome.MACHINE: CallStatus.COMPLETED,
    Outcome.BUSY: CallStatus.BUSY,
    Outcome.NO_ANSWER: CallStatus.NO_ANSWER,
    Outcome.FAILED: CallStatus.FAILED,
}
ACCOUNT = CarrierCredentials(sid="acme", subdomain="api.exotel.com", api_key="key", api_token="token")


@dataclass(frozen=True)
class Luck:
    """How often a dial comes to nothing, and what the others come to."""

    no_room: float = 0.0
    refused: float = 0.0
    lost: float = 0.0
    """The carrier dials, and its answer does not arrive."""
    slow: float = 0.0
    """It dials, and takes longer than anybody waits."""
    outcomes: Mapping[Outcome, float] = field(default_factory=lambda: {Outcome.ANSWERED: 1.0})
    talk_s: tuple[float, float] = (3.0, 20.0)


class Phones:
    """Everybody's phone: who is rung, by which attempt, how many at the same time."""

    def __init__(self, data: Data, luck: Luck, draw: random.Random, now: Clock) -> None:
        self._data = data
        self._luck = luck
        self._random = draw
        self._now = now
        self.dials: Counter[tuple[Id, int]] = Counter()
        self.at: list[datetime] = []
        self.came_to: dict[Id, Outcome] = {}
        """By call."""
        self.ringing: Counter[Id] = Counter()
        """By contact, right now."""
        self.twice: list[Id] = []
        """Contacts who were rung while they were on the phone with us."""
        self.most = 0
        self._lines: set[asyncio.Task[None]] = set()

    def ring(self, call_id: Id, who: CampaignCall, *, is_heard: bool = True) -> None:
        """Dial; `is_heard` is what becomes of it. Otherwise the media is refused, and it stops ringing."""
        self.dials[who.contact_id, who.attempt] += 1
        self.at.append(self._now())
        self.ringing[who.contact_id] += 1
        if self.ringing[who.contact_id] > 1:
            self.twice.append(who.contact_id)
        self.most = max(self.most, self.ringing.total())
        self._send(self._line(call_id, who, is_heard))

    def sweep(self, call_id: Id) -> None:
        """Close it should nobody else."""
        self._send(self._swept(call_id))

    def close(self, call_id: Id, status: CallStatus, answered_by: str | None = None) -> None:
        """The first word counts."""
        if not self._data.calls[call_id].status.is_final:
            fields = {"status": status, "answered_by": answered_by, "ended_at": self._now()}
            self._data.calls[call_id] = self._data.calls[call_id].model_copy(update=fields)

    async def close_all(self) -> None:
        """Hang up everywhere."""
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    def _send(self, line: Any) -> None:
        task = asyncio.create_task(line)
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _line(self, call_id: Id, who: CampaignCall, is_heard: bool) -> None:
        outcomes = self._luck.outcomes
        outcome = self._random.choices(list(outcomes), list(outcomes.values()))[0]
        try:
            await asyncio.sleep(self._random.uniform(*self._luck.talk_s) if is_heard else RING_S)
        finally:
            self.ringing[who.contact_id] -= 1
        if is_heard:
            self.came_to[call_id] = outcome
            by = "human" if outcome is Outcome.ANSWERED else "machine-voicemail"
            self.close(call_id, ENDS[outcome], by if ENDS[outcome] is CallStatus.COMPLETED else None)

    async def _swept(self, call_id: Id) -> None:
        await asyncio.sleep(SWEPT_S)
        self.close(call_id, CallStatus.NO_ANSWER)


class Switchboard:
    """Satisfies `around.Dialler` as `CallService` does: stored once by id, then dialled; in one process."""

    def __init__(
        self, data: Data, phones: Phones, process: Process, luck: Luck, draw: random.Random, now: Clock
    ) -> None:
        self._data = data
        self._phones = phones
        self._process = process
        self._luck = luck
        self._random = draw
        self._now = now
        self.trouble: CallboardError | None = None

    async def place_outbound(
        self,
        principal: Principal,
        *,
        from_phone: str,
        to_phone: str,
        agent_id: str,
        metadata: dict[str, Any],
        now: datetime,
        call_id: Id | None = None,
        variables: Mapping[str, str] | None = None,
        campaign: CampaignCall | None = None,
    ) -> Call:
        """Dials once per id."""
        assert call_id is not None
        assert campaign is not None
        call = a_call(principal.organization_id, id=call_id, campaign=campaign, variables=dict(variables or {}))
        async with self._process.step():
            if call_id in self._data.calls:
                return call
        self._may_be_full()
        async with self._process.step():
            if call_id in self._data.calls:
                return call
            self._data.calls[call_id] = CallState(status=CallStatus.INITIATED)
            self._phones.sweep(call_id)
        try:
            await self._dial(call_id, campaign)
        except CallboardError:
            async with self._process.step():
                self._phones.close(call_id, CallStatus.FAILED)
            raise
        async with self._process.step():
            named = self._data.calls[call_id].model_copy(update={"carrier_call_id": f"sid-{call_id}"})
            self._data.calls[call_id] = named
        return call

    def _may_be_full(self) -> None:
        if self.trouble is not None:
            raise self.trouble
        if self._random.random() < self._luck.no_room:
            raise self._random.choice([NoCapacity("full", retry_after_s=3), CreditUnavailable("busy")])

    async def _dial(self, call_id: Id, who: CampaignCall) -> None:
        carrier = fenced(_Line(self, call_id, who), self._now)
        request = PlaceCall("+911", "+912", "wss://x", "https://x", 45, 3600)
        await carrier.place_call(ACCOUNT, request)

    async def reached(self, call_id: Id, who: CampaignCall) -> None:
        """The carrier has the order; nothing comes between the fence and this."""
        chance = self._random.random()
        if chance < self._luck.refused:
            raise ProviderError("no", provider="exotel", retryable=False)
        chance -= self._luck.refused
        if chance < self._luck.lost:
            self._phones.ring(call_id, who, is_heard=False)
            async with self._process.step(may_fail=False):
                raise ProviderError("nobody knows", provider="exotel", retryable=False) from ConnectionError("reset")
        self._phones.ring(call_id, who)
        if chance - self._luck.lost < self._luck.slow:
            await asyncio.sleep(40)
        async with self._process.step(may_fail=False):
            pass


class _Line(Carrier):
    """A carrier that takes one order."""

    def __init__(self, board: Switchboard, call_id: Id, who: CampaignCall) -> None:
        super().__init__()
        self._board = board
        self._call_id = call_id
        self._who = who

    async def place_call(self, credentials: CarrierCredentials, request: PlaceCall) -> PlacedCall:
        """Takes it."""
        await self._board.reached(self._call_id, self._who)
        return PlacedCall(f"sid-{self._call_id}")
