"""Call logs in bulk, the same ones at every run: one big organization with four fifths of the calls, many small ones.

Each document is what `models.call.Call` stores, turns included. Batches are independent of each other, so a part of the
log can be made without the rest.
"""

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from random import Random
from typing import Any

from bson import ObjectId
from pymongo import MongoClient, WriteConcern

from models.agent import Agent, AgentConfig, Llm, Voice
from models.call import Call, CallStatus, CostBreakdown, Recording, SessionId, Turn, TurnTimings, Usage
from models.document import Id

BATCH = 2_000
WRITERS = 2
SMALL_ORGANIZATIONS = 200
BIG_SHARE = 0.8
SPAN = timedelta(days=365)
UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
"""The moment of the last call."""
LIVE_CALLS = 60
"""The newest calls of the log are still going on."""
AGENTS = 16
BUSY_AGENT_SHARE = 0.125
"""Of the big organization's calls, those of its first agent: 100,000 in a million calls."""

FAST = WriteConcern(1, j=False)
"""Made-up logs may be lost."""

ENDINGS = (
    (0.86, CallStatus.COMPLETED, "caller-hung-up"),
    (0.92, CallStatus.NO_ANSWER, "no-answer"),
    (0.95, CallStatus.BUSY, "busy"),
    (0.99, CallStatus.FAILED, "lost"),
    (1.00, CallStatus.CANCELED, "user_requested"),
)
LIVE = (CallStatus.INITIATED, CallStatus.RINGING, CallStatus.IN_PROGRESS)

CALLER = (
    "Hello, I would like to move my appointment to another day if that is possible.",
    "Yes, Tuesday in the afternoon would be fine.",
    "How much does it cost, and can I pay by card?",
    "No, that is all, thank you very much.",
    "I am calling about the order I placed last week, it has not arrived yet.",
    "Could you repeat that, please?",
)
AGENT = (
    "Hello! Thank you for calling. How can I help you today?",
    "Of course, I can help you with that. Could you tell me the name the appointment was made under, please?",
    "I have found it. We have an opening on Tuesday at three in the afternoon, or on Thursday at ten. Which is better?",
    "That is done. You will receive a message with the new time in a minute. Is there anything else I can do for you?",
    "Your order left our warehouse yesterday and should be with you tomorrow before noon. I am sorry for the delay.",
)
PROMPT = (
    "You are the friendly receptionist of a clinic. Book, move and cancel appointments; answer questions about opening "
    "hours, prices and the way to us. Ask for one thing at a time, repeat dates and names back, never give medical "
    "advice. When the caller is angry, stay calm, apologise once and offer a call back by a person. "
)
CONFIG = AgentConfig(
    prompt=PROMPT * 2,
    voice=Voice(provider="elevenlabs", voice_id="21m00Tcm4TlvDq8ikWAM", model="eleven_turbo_v2"),
    language="en",
    llm=Llm(model="gpt-4"),
    first_message="Hello! Thank you for calling. How can I help you today?",
)


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seeding came to."""

    calls: int
    took_s: float
    stored_bytes: int
    """On disk, without indexes."""
    raw_bytes: int


def organization(number: int) -> Id:
    """The id of an organization; 0 is the big one."""
    return Id(f"{0x0A_0000 + number:024x}")


def agent(organization_number: int, number: int) -> Agent:
    """One of an organization's agents; the big one's first is the busy one."""
    return Agent(
        id=Id(f"{0x0B_0000_0000 + organization_number * 0x1000 + number:024x}"),
        created_at=UNTIL - SPAN,
        updated_at=UNTIL - SPAN,
        organization_id=organization(organization_number),
        user_id=Id(f"{0x0C_0000 + organization_number:024x}"),
        name=f"Receptionist {number}",
        config=CONFIG,
    )


def seed(url: str, database: str, calls: int) -> Seeded:
    """Fill the collection; it has to be empty, and indexes are made afterwards, which is faster."""
    began = time.perf_counter()
    write = partial(_write, url, database, calls)
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as writers:
        list(writers.map(write, range(WRITERS)))
    took_s = time.perf_counter() - began
    with MongoClient[dict[str, Any]](url) as client:
        stats = client[database].command("collStats", "calls")
    return Seeded(calls, took_s, int(stats["storageSize"]), int(stats["size"]))


def _write(url: str, database: str, calls: int, writer: int) -> None:
    """One process's share: every `WRITERS`-th batch."""
    with MongoClient[dict[str, Any]](url) as client:
        rows = client[database].get_collection("calls", write_concern=FAST)
        for first in range(writer * BATCH, calls, WRITERS * BATCH):
            rows.insert_many(batch(first, min(first + BATCH, calls), calls), ordered=False)


def batch(first: int, end: int, calls: int) -> Iterator[dict[str, Any]]:
    """The documents from `first` up to `end` of a log of `calls`, as they are stored."""
    rng = Random(first)
    agents = {number: [agent(number, n) for n in range(AGENTS)] for number in range(SMALL_ORGANIZATIONS + 1)}
    for number in range(first, end):
        own = agents[0 if rng.random() < BIG_SHARE else rng.randrange(1, SMALL_ORGANIZATIONS + 1)]
        busy = rng.random() < BUSY_AGENT_SHARE
        chosen = own[0] if busy else own[rng.randrange(1, AGENTS)]
        yield _call(
            rng, number, chosen, UNTIL - SPAN * ((calls - number) / calls), is_live=number >= calls - LIVE_CALLS
        )


def _call(rng: Random, number: int, agent: Agent, made: datetime, *, is_live: bool) -> dict[str, Any]:
    """One log: varying fields over what every call stores."""
    inbound = rng.random() < 0.45
    status, reason = (rng.choice(LIVE), None) if is_live else _ending(rng.random())
    answered = status in (CallStatus.COMPLETED, CallStatus.IN_PROGRESS)
    turns = _turns(rng, made + timedelta(seconds=8)) if answered else []
    ended = None if is_live else (turns[-1]["timestamp"] if turns else made + timedelta(seconds=30))
    seconds = int((ended - made).total_seconds()) - 8 if ended and answered else 0
    cost = {"stt": seconds * 30, "llm": len(turns) * 800, "tts": 7_500, "telephony": seconds * 91}
    return TEMPLATE | {
        "_id": str(ObjectId(int(made.timestamp()).to_bytes(4) + number.to_bytes(8))),
        "createdAt": made,
        "updatedAt": ended or made,
        "organizationId": agent.organization_id,
        "userId": agent.user_id,
        "sessionId": f"sess_{rng.getrandbits(64):016x}{number:06x}",
        "agentId": agent.id,
        "agentName": agent.name,
        "direction": "inbound" if inbound else "outbound",
        "fromPhone": f"+9198{rng.randrange(10**8):08d}",
        "toPhone": f"+9180{rng.randrange(10**8):08d}",
        "status": status.value,
        "carrierCallId": f"{rng.getrandbits(96):024x}{number:08x}",
        "endReason": reason,
        "metadata": {"customerName": "John Doe", "orderId": f"ORD-{number}"},
        "startedAt": made + timedelta(seconds=8) if answered else None,
        "endedAt": ended,
        "durationSec": seconds if ended else None,
        "turns": turns,
        "usage": {
            "sttMs": seconds * 300,
            "llmTokens": len(turns) * 400,
            "ttsChars": 500,
            "telephonyMs": seconds * 1000,
        },
        "cost": cost,
        "chargedMicros": sum(cost.values()) if ended else None,
    }


def _turns(rng: Random, answered: datetime) -> list[dict[str, Any]]:
    """Between three and ten, the agent's first."""
    at, turns = answered, []
    for index in range(rng.randrange(3, 11)):
        speaks = "assistant" if index % 2 == 0 else "user"
        at += timedelta(milliseconds=rng.randrange(2_000, 9_000))
        since_ms = int((at - answered).total_seconds() * 1000)
        turns.append(
            {
                "index": index,
                "role": speaks,
                "content": rng.choice(AGENT if index % 2 == 0 else CALLER),
                "timestamp": at,
                "interrupted": False,
                "timings": dict.fromkeys(TIMINGS, since_ms),
            }
        )
    return turns


def _ending(drawn: float) -> tuple[CallStatus, str]:
    return next((status, reason) for below, status, reason in ENDINGS if drawn < below)


TIMINGS = tuple(name for name, moment in TurnTimings().model_dump(by_alias=True).items() if moment is None)
"""The moments; barge-ins and counts stay at their defaults."""
TEMPLATE = Call(
    created_at=UNTIL,
    updated_at=UNTIL,
    organization_id=organization(0),
    user_id=Id(""),
    session_id=SessionId(""),
    agent_id=Id(""),
    agent_name="",
    agent_config=CONFIG,
    phone_id=Id(f"{0x0D_0000:024x}"),
    direction="inbound",
    from_phone="",
    to_phone="",
    turns=[Turn(index=0, role="user", content="", timestamp=UNTIL)],
    usage=Usage(),
    cost=CostBreakdown(),
    recording=Recording(path="recordings/2025/call.wav"),
).to_mongo()
