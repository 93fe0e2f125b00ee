"""A campaign on the whole product, against a carrier whose people have habits, while its actor is killed.

    python -m bench.live_campaign [--contacts 200] [--concurrency 8] [--kills 5] [--freezes 0] [--every 12]

By number a phone is answered, busy, not answered or picked up by a machine; busy and unanswered ones are tried twice.
The campaign's actor is killed in turn by the kernel (`slain`; Ray restarts it) and by `ray.kill` (`lost`; nobody does,
but the replicas' rounds), and with `--freezes` stopped by SIGSTOP (`frozen`), which is noticed after a minute.

What counts is what the carrier saw: each attempt of a contact is dialled once, nobody twice at the same time, no more
at once than allowed. Then the contacts' outcomes are held against the logs of their calls.
"""

import argparse
import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from bench.conversation import AGENT, NUMBERS, Product, World, load, product
from bench.lose_actor import lose
from bench.processes import members, usage
from bench.victims import slay
from models.call import Call
from models.campaign import Campaign, Outcome, outcome_of
from models.contact import Contact
from models.document import Id
from simulators.by_number import CarrierByNumber
from simulators.carrier import CarrierCall, Plan
from simulators.exotel_calls import Outcome as Ending
from simulators.llm import LlmServer
from simulators.scripts import voicemail
from simulators.steps import HangUp, Script, StaySilent
from simulators.tts import TtsServer
from stores.mongo import connect, database
from stores.repositories import Repositories

ANSWERED = Plan(Script((StaySilent(1.5), HangUp())), dial_s=0.1, ring_s=0.3)
BUSY = Plan(Script(()), Ending.BUSY, dial_s=0.1, ring_s=0.3)
NO_ANSWER = Plan(Script(()), Ending.NO_ANSWER, dial_s=0.1, ring_s=0.3)
GREETING = ("you have reached the voice mailbox of maria", "please leave a message after the tone")
MACHINE = Plan(voicemail(*GREETING), dial_s=0.1, ring_s=0.3)
HABITS = (*[ANSWERED] * 13, *[BUSY] * 3, *[NO_ANSWER] * 3, MACHINE)
"""By the last digits of a number."""
RETRY = {"maxAttempts": 2, "delayS": 30}
ONCE = {"maxAttempts": 1}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WITHIN_S = 900.0
ACTOR = "campaigns"


def habit(number: str) -> Plan:
    """What becomes of a call to it."""
    return HABITS[int(number[-6:]) % len(HABITS)] if number else ANSWERED


@dataclass(frozen=True, slots=True)
class Line:
    """The product, its vendors and a customer."""

    product: Product
    carrier: CarrierByNumber
    http: httpx.AsyncClient
    stores: Repositories
    agent_id: str

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """A request that must succeed; its data."""
        answer = await self.http.request(method, path, json=body)
        answer.raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data


Way = Callable[[Line, Id, set[int]], Coroutine[Any, Any, None]]
"""How the campaign's actor is struck, whose processes these are."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--freezes", type=int, default=0, help="and so often it is frozen, after that")
    parser.add_argument("--every", type=float, default=12.0, help="seconds between kills")
    options = parser.parse_args()
    with product(call_slots=options.concurrency) as deployed:
        asyncio.run(run(deployed, options))
    print(load())


async def run(deployed: Product, options: argparse.Namespace) -> None:
    """One campaign from its first contact to its rest."""
    async with line(deployed) as here:
        campaign_id = await started(here, options)
        began = time.monotonic()
        ways = [*itertools.islice(itertools.cycle((slain, lost)), options.kills), *[frozen] * options.freezes]
        killing = asyncio.create_task(kill(here, campaign_id, ways, options.every))
        campaign = await rested(here, campaign_id)
        took_s = time.monotonic() - began
        kills = await killing if killing.done() else []
        killing.cancel()
        contacts = await everybody(here.stores, campaign)
        ids = [attempt.call_id for contact in contacts for attempt in contact.attempts]
        report(here, campaign, contacts, await here.stores.calls.by_ids(ids))
    print(f"{len(contacts)} contacts in {took_s:.0f} s, {len(kills)} kills; dialling again after each:")
    print("  " + ", ".join(f"{how} {after_s:.1f} s" for how, after_s in kills))


@asynccontextmanager
async def line(deployed: Product) -> AsyncIterator[Line]:
    """Vendors at the ports the product was told, and a customer with an agent and a phone."""
    ports, base = deployed.ports, f"http://127.0.0.1:{deployed.settings.port}/api/v1"
    async with (
        LlmServer(port=ports.llm) as llm,
        TtsServer(port=ports.tts) as tts,
        CarrierByNumber(habit, port=ports.carrier) as carrier,
        httpx.AsyncClient(base_url=base, timeout=30.0) as http,
        connect(deployed.settings) as client,
    ):
        stores = Repositories.over(database(client, deployed.settings))
        world = World(carrier=carrier, llm=llm, tts=tts, http=http, stores=stores)
        await world.sign_up()
        agent_id = await world.agent(voicemail={"action": "hangup"}, firstMessage=AGENT["firstMessage"])
        yield Line(deployed, carrier, http, stores, agent_id)


async def started(here: Line, options: argparse.Namespace) -> Id:
    """The campaign's id."""
    rules = {
        "windows": [{"days": DAYS, "opens": "00:00", "closes": "00:00"}],
        "pacing": {"maxConcurrency": options.concurrency, "callsPerMinute": 600, "batchSize": options.concurrency},
        "retries": {"maxAttempts": 3, "busy": RETRY, "noAnswer": RETRY, "failed": RETRY, "machine": ONCE},
        "breaker": {"enabled": False},
    }
    plan = {"name": "Bench", "agentId": here.agent_id, "fromPhone": NUMBERS[0], "rules": rules}
    campaign_id = (await here.ask("POST", "/campaigns", plan))["campaign"]["_id"]
    people = [{"number": f"+9198765{n:05d}", "consent": True} for n in range(options.contacts)]
    done = await here.ask("POST", f"/campaigns/{campaign_id}/contacts", {"contacts": people})
    print(f"imported {done['report']['imported']}")
    await here.ask("POST", f"/campaigns/{campaign_id}/start")
    return Id(campaign_id)


async def slain(here: Line, campaign_id: Id, pids: set[int]) -> None:
    """By the kernel."""
    slay(pids)


async def lost(here: Line, campaign_id: Id, pids: set[int]) -> None:
    """By `ray.kill`."""
    await lose(here.product.settings, f"campaign:{campaign_id}")


async def frozen(here: Line, campaign_id: Id, pids: set[int]) -> None:
    """By SIGSTOP."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


async def kill(here: Line, campaign_id: Id, ways: Sequence[Way], every_s: float) -> list[tuple[str, float]]:
    """How each time, and how long nobody was dialled after it."""
    found: list[tuple[str, float]] = []
    killed: set[int] = set()
    for way in ways:
        await asyncio.sleep(every_s)
        pids: set[int] = set()
        while not pids:
            parts = await asyncio.to_thread(members, here.product.children)
            pids = {member.pid for member in parts if member.part == ACTOR} - killed
            await asyncio.sleep(0.1)
        killed |= pids
        for used in (usage(pid) for pid in pids):
            if used is not None:
                print(f"the actor: {used.pss_bytes / 1e6:.0f} MB, {used.cpu_s:.1f} s of CPU so far")
        striking = asyncio.create_task(way(here, campaign_id, pids))
        while way is not frozen and any(psutil.pid_exists(pid) for pid in pids):  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.02)
        before, began = len(here.carrier.calls), time.monotonic()
        while len(here.carrier.calls) == before:  # noqa: ASYNC110 - another process dials
            await asyncio.sleep(0.05)
        await striking
        found.append((way.__name__, time.monotonic() - began))
    return found


async def rested(here: Line, campaign_id: Id) -> Campaign:
    """The campaign once it is over and no actor is needed."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            campaign = await here.stores.campaigns.by_id(campaign_id)
            if campaign is not None and campaign.status.is_final and not campaign.needs_runner:
                return campaign
            await asyncio.sleep(0.5)


async def everybody(stores: Repositories, campaign: Campaign) -> list[Contact]:
    """All contacts."""
    found: list[Contact] = []
    for page in itertools.count(1):
        items = (await stores.contacts.listed(campaign.organization_id, campaign.id, None, page=page, limit=500)).items
        found += items
        if not items:
            break
    return found


# --- what it came to --------------------------------------------------------------------------------------
def report(here: Line, campaign: Campaign, contacts: Sequence[Contact], logs: dict[Id, Call]) -> None:
    """Hold carrier, contacts, logs and counters against each other, and print; raises AssertionError."""
    sessions = {call.session_id: call for call in logs.values()}
    dials = Counter(urlsplit(url).path.rsplit("/", 1)[-1] for url in here.carrier.streams.values())
    unknown = [session for session in dials if session not in sessions]
    most = most_at_once(list(here.carrier.calls.values()))
    attempts = [(contact, attempt) for contact in contacts for attempt in contact.attempts]
    never = [each for _, each in attempts if each.outcome != Outcome.NOT_PLACED and each.call_id not in logs]
    told = Counter(str(each.outcome) for _, each in attempts)
    by_logs = Counter(str(outcome_of(call.status, call.answered_by)) for call in logs.values())
    print(
        f"dials at the carrier {dials.total()}, by attempt at most {max(dials.values())}, of no attempt {len(unknown)}"
    )
    print(f"at once at most {most}; the same number twice at once {overlapping(list(here.carrier.calls.values()))}")
    print(f"contacts {Counter(contact.state for contact in contacts)}, ended {Counter(c.final for c in contacts)}")
    print(f"attempts by contacts {dict(told)}\n         by logs     {dict(by_logs)}")
    print(f"         by counters {campaign.counters.attempts}")
    assert set(dials.values()) == {1}
    assert not unknown
    assert not never
    assert campaign.counters.contacts == {"done": len(contacts)}
    assert dict(told) == campaign.counters.attempts
    assert told - Counter({"not-placed": told["not-placed"]}) == by_logs


def most_at_once(calls: Sequence[CarrierCall]) -> int:
    """The most calls that the carrier had open at one moment."""
    moments = [(call.state.created, 1) for call in calls]
    moments += [(ended(call), -1) for call in calls]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def overlapping(calls: Sequence[CarrierCall]) -> int:
    """How often a number was dialled while it was on the phone with us."""
    by_time = sorted(calls, key=lambda call: call.state.created)
    until: dict[str, datetime] = {}
    twice = 0
    for call in by_time:
        number = call.state.from_number
        twice += number in until and call.state.created < until[number]
        until[number] = ended(call)
    return twice


def ended(call: CarrierCall) -> datetime:
    """When; one that is not over ends later than all."""
    return call.state.ended or datetime.now(UTC) + timedelta(days=1)


if __name__ == "__main__":
    main()
