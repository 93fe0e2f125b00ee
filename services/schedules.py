"""Schedules as tenants see them: made, listed, changed while they wait, cancelled. Firing is `schedule_runner`'s."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from models.document import Id
from models.errors import Conflict, FieldError, Invalid
from models.schedule import Coming, Occurrence, Schedule, ScheduleStatus
from services import schedule_plan
from services.agent_versions import AgentVersions
from services.audit import AuditService
from services.call_texts import worded
from services.numbers import e164
from services.principal import Principal
from services.recurrence import AHEAD, checked_rule, first, local_time, zone_of
from stores.repositories import Repositories
from stores.repository import Page

TIMES = frozenset({"local_time", "timezone", "rrule"})
"""What of an order says when."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to do and when, as it was asked for."""

    from_phone: str
    to_phone: str
    agent_id: str
    local_time: str
    timezone: str
    rrule: str | None = None
    late_minutes: int = 10
    metadata: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    notes: str = ""


class ScheduleService:
    """The rules around schedules. Every method raises NotFound for a schedule of another organization."""

    def __init__(self, repositories: Repositories, audit: AuditService) -> None:
        self._stores = repositories
        self._schedules = repositories.schedules
        self._versions = AgentVersions(repositories)
        self._audit = audit

    async def create(self, principal: Principal, order: Order, *, schedule_id: Id, now: datetime) -> Schedule:
        """A new schedule that acts for the user; the same id again gives the schedule that was made.

        Raises Invalid, and NotFound for the phone and the agent.
        """
        checked = await self._checked(principal, order)
        upon = await _first(checked, now)
        made = Schedule(
            id=schedule_id,
            **principal.signature(now),
            user_id=principal.user_id,
            **_fields(checked),
            revision=schedule_id,
        )
        await self._schedules.insert(schedule_plan.waiting(made, upon))
        await self._audit.record(principal, "create", "schedule", made.id, now, recurring=checked.rrule is not None)
        return await self.get(principal, made.id)

    async def get(self, principal: Principal, schedule_id: str) -> Schedule:
        """One schedule."""
        return await self._schedules.get(principal.organization_id, schedule_id)

    async def page(
        self, principal: Principal, *, status: ScheduleStatus | None, agent_id: str | None, page: int, limit: int
    ) -> Page[Schedule]:
        """The organization's schedules that match, newest first."""
        return await self._schedules.search(
            principal.organization_id, status=status, agent_id=agent_id, page=page, limit=limit
        )

    async def occurrences(self, principal: Principal, schedule_id: str, *, page: int, limit: int) -> Page[Occurrence]:
        """What became of each of its times, newest first."""
        schedule = await self.get(principal, schedule_id)
        return await self._stores.occurrences.of_schedule(
            principal.organization_id, schedule.id, page=page, limit=limit
        )

    async def update(
        self, principal: Principal, schedule_id: str, changes: Mapping[str, Any], now: datetime
    ) -> Schedule:
        """Change what is given, by the names in `Order`, and keep the rest.

        What says when counts from its local time on, which therefore has to be in the future. Raises Invalid, NotFound
        for the phone and the agent, and Conflict when it no longer waits.
        """
        seen = await self._waiting(principal, schedule_id)
        checked = await self._checked(principal, replace(_order(seen), **changes))
        wanted = seen.model_copy(update=_fields(checked))
        upon = await _first(checked, now) if TIMES & changes.keys() else seen.coming
        assert upon is not None, "a schedule that waits has a time"
        wanted = schedule_plan.waiting(wanted, upon)
        if upon is seen.coming:
            wanted = wanted.model_copy(update={"wake_at": seen.wake_at})
        changed = await self._replaced(principal, seen, wanted, now)
        await self._audit.record(principal, "update", "schedule", seen.id, now, fields=sorted(changes))
        return changed

    async def cancel(self, principal: Principal, schedule_id: str, now: datetime) -> Schedule:
        """Have it fire no more; raises Conflict when it no longer waits."""
        seen = await self._waiting(principal, schedule_id)
        changed = await self._replaced(principal, seen, schedule_plan.cancelled(seen), now)
        await self._audit.record(principal, "cancel", "schedule", seen.id, now)
        return changed

    async def _waiting(self, principal: Principal, schedule_id: str) -> Schedule:
        schedule = await self.get(principal, schedule_id)
        if schedule.status == "firing":
            raise Conflict("The schedule is being dialled, try again")
        if schedule.status != "scheduled":
            raise Conflict(f"The schedule is over: {schedule.status}")
        return schedule

    async def _replaced(self, principal: Principal, seen: Schedule, wanted: Schedule, now: datetime) -> Schedule:
        changed = await self._schedules.replace(seen, wanted, now, principal.user_id)
        if changed is None:
            raise Conflict("The schedule has changed meanwhile, try again")
        return changed

    async def _checked(self, principal: Principal, order: Order) -> Order:
        """The order with everything as it is kept; raises Invalid and NotFound."""
        zone_of(order.timezone)
        checked = replace(
            order,
            from_phone=e164(order.from_phone, "fromPhone"),
            to_phone=e164(order.to_phone, "toPhone"),
            local_time=local_time(order.local_time).isoformat(),
            rrule=None if order.rrule is None else checked_rule(order.rrule),
        )
        await self._stores.phones.by_number(principal.organization_id, checked.from_phone)
        agent = await self._stores.agents.get(principal.organization_id, checked.agent_id)
        if checked.variables:  # as when it is dialled: without any, braces are no variables
            config, _ = await self._versions.resolve(principal.organization_id, agent.config)
            worded(config, checked.variables)
        return checked


def _fields(order: Order) -> dict[str, Any]:
    return {each.name: getattr(order, each.name) for each in fields(order)}


def _order(schedule: Schedule) -> Order:
    return Order(**{each.name: getattr(schedule, each.name) for each in fields(Order)})


async def _first(order: Order, now: datetime) -> Coming:
    """The order's first time; raises Invalid when there is none, or it has passed."""
    start = local_time(order.local_time)
    if abs(start - now.astimezone(UTC).replace(tzinfo=None)) > AHEAD:
        raise Invalid(fields=[FieldError("localTime", "Must be within ten years")])
    # In a thread: a rule that gives nothing is looked at for a while.
    upon = schedule_plan.coming(await asyncio.to_thread(first, start, zone_of(order.timezone), order.rrule))
    if upon is None:
        raise Invalid(fields=[FieldError("rrule", "Gives no time within ten years")])
    if upon.due_at <= now:
        raise Invalid(fields=[FieldError("localTime", "Must be in the future")])
    return upon
