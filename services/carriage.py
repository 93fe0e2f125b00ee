"""Who carries a call's audio: the rules for the media socket. Knows neither Ray nor WebSockets."""

from datetime import datetime, timedelta

from models.call import Call, Lease, SessionId
from models.errors import Conflict
from models.settings import Settings
from services.call_addresses import CallAddresses
from stores.calls import Calls

MOST_TAKE_OVERS = 5
MOST_LATELY = 3
LATELY = timedelta(seconds=30)


class TakeOvers:
    """How often another actor may go on with one call: whatever kills every actor it meets is not to meet many."""

    def __init__(self) -> None:
        self._at: list[datetime] = []

    def begin(self, now: datetime) -> bool:
        """One more, now; False: it was enough."""
        lately = [at for at in self._at if now - at < LATELY]
        if len(self._at) >= MOST_TAKE_OVERS or len(lately) >= MOST_LATELY:
            return False
        self._at.append(now)
        return True


class Carriage:
    """Attaching a media socket to a call, and the call to an actor."""

    def __init__(self, settings: Settings, calls: Calls, addresses: CallAddresses) -> None:
        self._settings = settings
        self._calls = calls
        self._addresses = addresses

    async def attach(self, session_id: SessionId, token: str, now: datetime) -> Call:
        """The call a media socket asks for. Changes nothing: `claim` follows.

        Raises Unauthenticated, NotFound, and Conflict when the call is over, too old or carried already.
        """
        self._addresses.check_media(session_id, token)
        call = await self._calls.session(session_id)
        longest = timedelta(seconds=self._settings.ring_timeout_s + self._settings.max_call_s)
        if call.status.is_final or now > call.created_at + longest:
            raise Conflict("Call is over")
        if call.lease is not None:
            raise Conflict("Call is already connected")
        return call

    async def claim(self, session_id: SessionId, actor: str, now: datetime) -> Call | None:
        """Give the call to an actor, by its Ray name; None when it is over or another actor has it."""
        return await self._calls.claim(session_id, Lease(actor=actor, leased_at=now), now)

    async def take_over(self, session_id: SessionId, from_actor: str, to_actor: str, now: datetime) -> Call | None:
        """Give the call of an actor that is lost to another; None when it is over. May be repeated."""
        return await self._calls.take_over(session_id, from_actor, Lease(actor=to_actor, leased_at=now), now)

    async def stored(self, session_id: SessionId) -> Call:
        """The call as the store has it."""
        return await self._calls.session(session_id)
