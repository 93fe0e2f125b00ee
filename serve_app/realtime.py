"""Live calls over Socket.IO: who may watch which call, and what a client that joins is told. Campaigns are
`campaign_watching`'s.

The token, an access token or an API key, comes with `call:join`, or once with the connection
(`io(url, {auth: {token}})`); the payload's wins. With `interim: true` a client also gets what is said while it is said;
the last `call:join` for a call counts.
Events themselves come from `services.call_log` through Redis and are not made here.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import socketio

from models.errors import CallboardError, Forbidden, Invalid, Unauthenticated
from serve_app.campaign_watching import CampaignWatching
from serve_app.client_events import MAX_TOKEN, text_of, wants_interim
from serve_app.replay import identity, past
from serve_app.rooms import Rooms
from services import call_events
from services.auth import AuthService
from services.calls import CallService
from services.campaigns import CampaignService
from services.permissions import Permission
from services.principal import Principal
from stores.events import interim_room, room

logger = logging.getLogger(__name__)

MAX_PACKET_BYTES = 64 * 1024
MAX_SESSION_ID = 64
HANGUP = "user_requested"
CHECK_S = 30.0
"""How long somebody who has logged out may go on watching."""

Handler = Callable[[str, "Request"], Awaitable[None]]


@dataclass(slots=True)
class Client:
    """One connection: the token it came with, and the one that each call was joined with."""

    token: str
    joined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A client's event, checked for shape only."""

    session_id: str
    token: str
    wants_interim: bool = False


class Realtime:
    """The Socket.IO server of one replica. `now` is the clock."""

    def __init__(
        self,
        redis_url: str,
        auth: AuthService,
        calls: CallService,
        campaigns: CampaignService,
        now: Callable[[], datetime],
    ) -> None:
        self._rooms = Rooms(redis_url)
        self._auth = auth
        self._calls = calls
        self._now = now
        self._clients: dict[str, Client] = {}
        self.server = socketio.AsyncServer(
            async_mode="asgi",
            client_manager=self._rooms,
            async_handlers=False,  # a client's events are handled in the order it sent them
            cors_allowed_origins="*",
            cors_credentials=False,  # tokens, never cookies
            max_http_buffer_size=MAX_PACKET_BYTES,
        )
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        for event, handler in {"join": self._join, "leave": self._leave, "hangup": self._hangup}.items():
            self.server.on(f"call:{event}", self._guarded(handler))
        self._campaigns = CampaignWatching(self.server, auth, campaigns, token_of=self._token_of, now=now)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens to Redis from here on, so that the first client to join misses nothing."""
        await self._rooms.listen(self.server)
        checking = asyncio.create_task(self._keep_checking())
        try:
            yield
        finally:
            checking.cancel()
            await asyncio.gather(checking, return_exceptions=True)
            await self.server.shutdown()
            await self._rooms.close()

    # --- connections ----------------------------------------------------------------------------------
    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        self._clients[sid] = Client(text_of(auth, "token", MAX_TOKEN))

    async def _disconnect(self, sid: str, reason: str) -> None:
        self._clients.pop(sid, None)
        self._campaigns.forget(sid)
        self._rooms.drop(sid)

    def _token_of(self, sid: str) -> str:
        return self._clients[sid].token

    def _guarded(self, handler: Handler) -> Callable[..., Awaitable[None]]:
        """Every failure of a handler becomes one `call:error`, whatever the client sent."""

        async def handle(sid: str, *data: object) -> None:
            payload = data[0] if data else None
            session_id = text_of(payload, "sessionId", MAX_SESSION_ID)
            try:
                if not session_id:
                    raise Invalid("sessionId is required")
                await handler(sid, Request(session_id, text_of(payload, "token", MAX_TOKEN), wants_interim(payload)))
            except CallboardError as error:
                await self._tell_error(sid, session_id, error.code, error.message)
            except Exception:
                logger.exception("a Socket.IO event broke")
                await self._tell_error(sid, session_id, CallboardError.code, "Something went wrong")

        return handle

    # --- events of clients ----------------------------------------------------------------------------
    async def _join(self, sid: str, request: Request) -> None:
        client = self._clients[sid]
        token = request.token or client.token
        if not token:
            raise Unauthenticated("A token is required")
        principal = await self._allowed(token, "calls:read")
        await self._calls.by_session(principal, request.session_id)
        has_joined = request.session_id in client.joined
        client.joined[request.session_id] = token
        if not has_joined:
            try:
                await self._tell_past(sid, request.session_id, principal)
            except Exception:
                await self._leave(sid, request)
                raise
        await self._choose_interim(sid, client, request)

    async def _tell_past(self, sid: str, session_id: str, principal: Principal) -> None:
        """The room first, then the log: what happens in between is held, and told once, after the log."""
        self._rooms.hold(sid, room(session_id))
        await self.server.enter_room(sid, room(session_id))
        events = past(await self._calls.by_session(principal, session_id))
        told = {identity(event, payload) for event, payload in events} - {None}
        for event, payload in events:
            await self._tell(sid, event, payload)
        while (held := self._rooms.next_held(sid, room(session_id))) is not None:
            if identity(*held) not in told:
                await self._tell(sid, *held)

    async def _choose_interim(self, sid: str, client: Client, request: Request) -> None:
        """After the past: what is not final is not kept, so whoever asks for it sees the next."""
        if request.wants_interim and request.session_id in client.joined:  # or shown out meanwhile
            await self.server.enter_room(sid, interim_room(request.session_id))
        else:
            await self.server.leave_room(sid, interim_room(request.session_id))

    async def _leave(self, sid: str, request: Request) -> None:
        if client := self._clients.get(sid):
            client.joined.pop(request.session_id, None)
        self._rooms.drop(sid, room(request.session_id))
        for joined in (room(request.session_id), interim_room(request.session_id)):
            await self.server.leave_room(sid, joined)

    async def _hangup(self, sid: str, request: Request) -> None:
        token = self._clients[sid].joined.get(request.session_id)
        if token is None:
            raise Forbidden("Join the call first")
        # Asked again: since the client joined, it may have logged out, or its role may have changed.
        principal = await self._allowed(token, "calls:write")
        await self._calls.end(principal, request.session_id, HANGUP, self._now())

    async def _allowed(self, token: str, permission: Permission) -> Principal:
        principal = await self._auth.authenticate(token, self._now())
        principal.require(permission)
        return principal

    # --- those who may no longer watch ------------------------------------------------------------------
    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self.check()
            except Exception:  # such as a database that restarts; the next round comes
                logger.exception("a round of checking tokens broke off")

    async def check(self) -> None:
        """Show out whoever has logged out, or lost the right to watch, since they joined; they are told."""
        await self._campaigns.check()
        for sid, client in list(self._clients.items()):
            for session_id, token in list(client.joined.items()):
                try:
                    await self._allowed(token, "calls:read")
                except (Unauthenticated, Forbidden) as refusal:
                    await self._leave(sid, Request(session_id, token))
                    await self._tell_error(sid, session_id, refusal.code, refusal.message)

    # --- events to clients ------------------------------------------------------------------------------
    async def _tell(self, sid: str, event: str, payload: call_events.Payload) -> None:
        await self.server.emit(event, payload, to=sid, ignore_queue=True)

    async def _tell_error(self, sid: str, session_id: str, code: str, message: str) -> None:
        await self._tell(sid, call_events.ERROR, call_events.error(session_id, code, message))
