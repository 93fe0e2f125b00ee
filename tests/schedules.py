"""Schedules with plausible contents, and a stand-in for whoever dials them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from models.call import Call
from models.document import Id, new_id
from models.errors import NotFound
from models.schedule import Coming, Schedule
from services.principal import Principal
from services.schedule_plan import waiting
from tests.documents import NOW, a_call

DUE = NOW


def a_schedule(organization_id: Id, **fields: Any) -> Schedule:
    """A single call that is due at `DUE`; `fields` replace its own."""
    own: dict[str, Any] = {
        "created_at": NOW,
        "updated_at": NOW,
        "user_id": new_id(),
        "from_phone": "+919876543210",
        "to_phone": "+919123456789",
        "agent_id": new_id(),
        "local_time": DUE.replace(tzinfo=None).isoformat(),
        "timezone": "UTC",
        "revision": new_id(),
    }
    upon = Coming(due_at=DUE, local_time=own["local_time"], number=1, call_id=new_id())
    return waiting(Schedule(organization_id=organization_id, **(own | fields)), upon)


@dataclass
class Dialler:
    """Places calls as `CallService` does: stored first, then dialled; the id of a call that is there dials nothing.

    `before` and `after` run around the dialling and may raise; `asked` counts attempts, `dialled` what rang, by call.
    """

    before: Callable[[Id], None] = lambda call_id: None
    after: Callable[[Id], None] = lambda call_id: None
    asked: list[Id] = field(default_factory=list)
    dialled: Counter[Id] = field(default_factory=Counter)
    at: list[datetime] = field(default_factory=list)
    calls: dict[Id, Call] = field(default_factory=dict)
    hold: asyncio.Event | None = None

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
    ) -> Call:
        """Dials once per id."""
        assert call_id is not None
        self.asked.append(call_id)
        if call_id in self.calls:
            return self.calls[call_id]
        self.before(call_id)
        told = {"metadata": metadata, "variables": dict(variables or {})}
        call = a_call(principal.organization_id, id=call_id, carrier_call_id=new_id(), **told)
        self.calls[call_id] = call
        self.dialled[call_id] += 1
        self.at.append(now)
        if self.hold is not None:
            await self.hold.wait()
        self.after(call_id)
        return call

    async def get(self, principal: Principal, call_id: str) -> Call:
        """A call that was placed."""
        if Id(call_id) not in self.calls:
            raise NotFound("Call not found")
        return self.calls[Id(call_id)]
