"""Keeps so many calls going: whoever hangs up is followed by another caller, until nobody is wanted any more."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from bench.conversation import Conversation, World
from models.errors import NotFound
from simulators.carrier import CarrierCall
from simulators.steps import Script

LOOK_S = 0.2
PAUSE_S = 1.0
"""After an order that failed."""
LOG_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Refusal:
    """An order the product did not take."""

    at: float
    status: int | None
    """HTTP; None: no answer at all."""


class LiveCalls:
    """The calls of one agent. `script` gets a number, a different one for each caller; `apart_s` is between orders."""

    def __init__(self, made: World, agent_id: str, script: Callable[[int], Script], *, apart_s: float = LOOK_S) -> None:
        self.wanted = 0
        self.refusals: list[Refusal] = []
        self._world = made
        self._agent_id = agent_id
        self._script = script
        self._apart_s = apart_s
        self._before = set(made.carrier.calls)
        self._placed = 0
        self._is_over = False

    async def run(self) -> None:
        """Place calls whenever fewer than `wanted` are live; returns when told to finish and all are over."""
        while not self._is_over or not all(call.ended.is_set() for call in self.all):
            if len(self.live) < self.wanted and not self._is_over:
                await self._place()
                await asyncio.sleep(self._apart_s)
            else:
                await asyncio.sleep(LOOK_S)

    def finish(self) -> None:
        """Place no more; those who talk go on to the end of their scripts."""
        self._is_over = True

    @property
    def all(self) -> list[CarrierCall]:
        """Every call the carrier has seen since the beginning."""
        return [call for sid, call in self._world.carrier.calls.items() if sid not in self._before]

    @property
    def live(self) -> list[CarrierCall]:
        """Those whose caller has not hung up."""
        return [call for call in self.all if call.report is None and not call.ended.is_set()]

    @property
    def talking(self) -> int:
        """How many of them were picked up."""
        return sum(call.state.answered is not None for call in self.live)

    async def _place(self) -> None:
        self._placed += 1
        try:
            await self._world.place(self._agent_id, self._script(self._placed))
        except httpx.HTTPError as error:
            status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
            self.refusals.append(Refusal(time.monotonic(), status))
            await asyncio.sleep(PAUSE_S)

    # --- afterwards ----------------------------------------------------------------------------------
    async def conversations(self, within_s: float) -> tuple[list[Conversation], list[CarrierCall]]:
        """All calls from both sides once their logs are final, or the time is up; and those that have no log at all."""
        give_up = time.monotonic() + within_s
        found, missing = [], []
        for held in self.all:
            conversation = await self._conversation(held, give_up)
            if conversation is not None:
                found.append(conversation)
            elif held.report is not None:
                missing.append(held)
        return found, missing

    async def _conversation(self, held: CarrierCall, give_up: float) -> Conversation | None:
        """None: nobody picked up, or the log is not there."""
        while held.report is not None:
            try:
                call = await self._world.stores.calls.by_carrier(held.state.sid)
            except NotFound:
                call = None
            if time.monotonic() > give_up or (call is not None and call.status.is_final and call.ended_at is not None):
                clock_s = time.time() - time.monotonic()
                return None if call is None else Conversation(held.report, call, clock_s)
            await asyncio.sleep(LOG_EVERY_S)
        return None
