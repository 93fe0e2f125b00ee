"""Documents with plausible contents, for tests that care about a few fields only."""

import secrets
from datetime import UTC, datetime
from typing import Any

from models.agent import Agent, AgentConfig, Llm, Voice
from models.call import Call, SessionId, Turn, TurnTimings
from models.document import Id, new_id
from models.phone import CarrierAccount, Phone
from models.user import User

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
DATES = {"created_at": NOW, "updated_at": NOW}

HEARD = TurnTimings(
    speech_start_ms=3100,
    speech_end_ms=5200,
    speculative_text_ms=5330,
    final_text_ms=5560,
    stt_queue_ms=4,
    stt_decode_ms=30,
)
"""A caller's turn whose text was known before it was over."""
CONFIG = AgentConfig(
    prompt="You are a helpful assistant.",
    voice=Voice(provider="espeak", voice_id="en-us"),
    language="en",
    llm=Llm(model="gpt-4"),
    first_message="Hello!",
)


def an_agent(organization_id: Id, **fields: Any) -> Agent:
    """An agent; `fields` replace its own."""
    own: dict[str, Any] = {**DATES, "user_id": new_id(), "name": "Sales Agent", "config": CONFIG}
    return Agent(organization_id=organization_id, **(own | fields))


def a_phone(organization_id: Id, **fields: Any) -> Phone:
    """A phone with a number of its own."""
    carrier = CarrierAccount(sid="acme", subdomain="api.exotel.com", encrypted_key="k", encrypted_token="t")
    number = f"+9198{secrets.randbelow(10**8):08d}"
    own: dict[str, Any] = {**DATES, "user_id": new_id(), "number": number, "country": "IN", "carrier": carrier}
    return Phone(organization_id=organization_id, **(own | fields))


def a_user(organization_id: Id, **fields: Any) -> User:
    """A user with an address of their own."""
    own: dict[str, Any] = {**DATES, "email": f"{secrets.token_hex(6)}@example.com", "password_hash": "x"}
    return User(organization_id=organization_id, **(own | fields))


def a_call(organization_id: Id, **fields: Any) -> Call:
    """An outbound call that has just been made."""
    own: dict[str, Any] = {
        **DATES,
        "user_id": new_id(),
        "session_id": SessionId(f"sess_{secrets.token_urlsafe(16)}"),
        "agent_id": new_id(),
        "agent_name": "Sales Agent",
        "agent_config": CONFIG,
        "phone_id": new_id(),
        "direction": "outbound",
        "from_phone": "+919876543210",
        "to_phone": "+919123456789",
    }
    return Call(organization_id=organization_id, **(own | fields))


def a_turn(index: int, content: str = "Hello") -> Turn:
    """The caller's turn of this index."""
    return Turn(index=index, role="user", content=content, timestamp=NOW)
