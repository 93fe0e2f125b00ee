"""One row of a fault table: live calls, something that is killed under them again and again, and what came of it."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench import talk
from bench.accounts import Accounts, audit, entries_of
from bench.conversation import AGENT, Conversation, World
from bench.heard import Effect, effect, gaps_in_log, is_lost
from bench.live_calls import LiveCalls
from bench.table import Column, Table
from simulators.caller import Script, WaitForAgent

USUAL = (*talk.ANSWERS, str(AGENT["firstMessage"]))
FULL_S = 90.0
"""How long it may take until as many calls are live again."""
JITTER = (0.9, 1.2)
"""Kills come at any moment of a turn, but not so close together that a supervisor gives its child up."""
TAIL_S = 20.0
"""After the last kill calls go on for so long."""
SHORTEST_S = 45.0
"""Who calls last talks at least so long."""
FINAL_S = 240.0
"""How long after the calls logs and ledger may take: orphans are looked for every two minutes."""
PATIENT = WaitForAgent(quiet_s=3.5)
"""Every second caller leaves the agent so much silence, and hears holes that others talk into."""
COLUMNS = (
    Column("victim", 15, is_text=True),
    Column("killed", 6),
    Column("calls", 5),
    Column("affected", 8),
    Column("lost", 4),
    Column("refused", 7),
    Column("longest gap s", 13),
    Column("median s", 8),
    Column("log complete", 12, is_text=True),
    Column("held", 6),
    Column("ledger doubled/lost", 19),
)

Kill = Callable[[int], Awaitable[float | None]]
"""Kills, given how many calls are live, and says when (monotonic); None: there was nobody to kill."""


@dataclass(slots=True)
class Ordeal:
    """What is done under how many calls."""

    name: str
    kill: Kill
    times: int
    calls: int
    every_s: float
    kills: list[float] = field(default_factory=list)

    async def run(self, live: LiveCalls) -> None:
        """Kill so many times, each with all calls live; then let them come to their ends."""
        live.wanted = self.calls
        async with asyncio.TaskGroup() as group:
            placing = group.create_task(live.run())
            try:
                for _ in range(self.times):
                    await _until_full(live, self.calls)
                    await asyncio.sleep(random.uniform(*JITTER) * self.every_s)
                    if (at := await self.kill(live.talking)) is not None:
                        self.kills.append(at)
                await asyncio.sleep(TAIL_S)
            finally:
                live.finish()
            await placing

    def script(self, ends_at: float) -> Callable[[int], Script]:
        """Callers who talk until about that moment."""

        def make(number: int) -> Script:
            seconds = max(SHORTEST_S, ends_at - time.monotonic())
            waiting = PATIENT if number % 2 else talk.USUAL
            return talk.conversation(number, seconds, waiting=waiting)

        return make

    @property
    def expected_s(self) -> float:
        """About how long it takes."""
        return self.times * self.every_s * JITTER[1] + TAIL_S


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    calls: Sequence[Conversation]
    effects: Sequence[Effect]
    refused: int
    problems: Sequence[str]
    """Of the logs, one line each."""
    accounts: Accounts


async def endure(made: World, agent_id: str, ordeal: Ordeal) -> Outcome:
    """Run it and look at everything afterwards."""
    live = LiveCalls(made, agent_id, ordeal.script(time.monotonic() + ordeal.expected_s))
    await ordeal.run(live)
    calls, missing = await live.conversations(FINAL_S)
    ends = [*ordeal.kills[1:], float("inf")]
    problems = [f"{each.call.id}: {problem}" for each in calls for problem in gaps_in_log(each, USUAL)]
    return Outcome(
        calls,
        [effect(calls, at, until, USUAL) for at, until in zip(ordeal.kills, ends, strict=True)],
        len(live.refusals) + sum(held.report is not None and held.report.end_reason == "refused" for held in live.all),
        problems + [f"{held.state.sid}: no log" for held in missing],
        await _settled(made, calls),
    )


def show(table: Table, ordeal: Ordeal, outcome: Outcome) -> None:
    """One row, and a few of the problems behind it."""
    longest = sorted(each.longest_s for each in outcome.effects)
    table.row(
        ordeal.name,
        len(outcome.effects),
        len(outcome.calls),
        sum(each.affected for each in outcome.effects),
        sum(is_lost(call.report) and call.report.end_reason != "refused" for call in outcome.calls),
        outcome.refused,
        longest[-1] if longest else None,
        longest[len(longest) // 2] if longest else None,
        "yes" if not outcome.problems else f"NO, {len(outcome.problems)}",
        outcome.accounts.held_micros,
        str(outcome.accounts),
    )
    for problem in outcome.problems[:5]:
        print(f"    {problem}", flush=True)


async def _until_full(live: LiveCalls, calls: int) -> None:
    """All the calls talk, or enough time went by."""
    give_up = time.monotonic() + FULL_S
    while live.talking < calls and time.monotonic() < give_up:  # noqa: ASYNC110 - the carrier answers for them
        await asyncio.sleep(0.1)


async def _settled(made: World, calls: Sequence[Conversation]) -> Accounts:
    """The accounts, once nothing is held any more or the time is up."""
    give_up = time.monotonic() + FINAL_S
    while calls:
        entries = await entries_of(made.stores.ledger, calls[0].call.organization_id)
        # Logs are read again: a cost may have been written with the end.
        logs = await made.stores.calls.by_ids([each.call.id for each in calls])
        found = audit(entries, list(logs.values()))
        if time.monotonic() > give_up or not (found.held_micros or found.lost):
            return found
        await asyncio.sleep(1.0)
    return Accounts(0, 0, 0, 0)
