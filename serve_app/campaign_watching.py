"""Campaigns over Socket.IO: who may watch which one. Their events come through Redis and are not made here.

`campaign:join` {campaignId, token?} is answered by an acknowledgement, and by a `campaign:progress` that says where the
campaign stands; what comes later replaces it.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import socketio

from models.campaign import Campaign
from models.errors import CallboardError, Forbidden, Invalid, Unauthenticated
from serve_app.client_events import MAX_ID, MAX_TOKEN, text_of
from services import campaign_events
from services.auth import AuthService
from services.campaigns import CampaignService
from services.principal import Principal
from stores.events import campaign_room

logger = logging.getLogger(__name__)

Ack = dict[str, Any]


class CampaignWatching:
    """The part of one replica's Socket.IO server that is about campaigns.

    `token_of` gives the token that a connection came with. `now` is the clock.
    """

    def __init__(
        self,
        server: socketio.AsyncServer,
        auth: AuthService,
        campaigns: CampaignService,
        *,
        token_of: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        self._server = server
        self._auth = auth
        self._campaigns = campaigns
        self._token_of = token_of
        self._now = now
        self._joined: dict[str, dict[str, str]] = {}
        """By connection and campaign, the token it was joined with."""
        server.on("campaign:join", self._join)
        server.on("campaign:leave", self._leave)

    def forget(self, sid: str) -> None:
        """The connection is gone."""
        self._joined.pop(sid, None)

    async def check(self) -> None:
        """Show out whoever has logged out, or lost the right to watch, since they joined; they are told."""
        for sid, joined in list(self._joined.items()):
            for campaign_id, token in list(joined.items()):
                try:
                    await self._allowed(token)
                except (Unauthenticated, Forbidden) as refusal:
                    await self._show_out(sid, campaign_id)
                    await self._refuse(sid, campaign_id, refusal.code, refusal.message)

    async def _join(self, sid: str, *data: object) -> Ack:
        payload = data[0] if data else None
        campaign_id = text_of(payload, "campaignId", MAX_ID)
        try:
            if not campaign_id:
                raise Invalid("campaignId is required")
            token = text_of(payload, "token", MAX_TOKEN) or self._token_of(sid)
            campaign = await self._entered(sid, campaign_id, token)
        except CallboardError as error:
            return await self._refuse(sid, campaign_id, error.code, error.message)
        except Exception:
            logger.exception("a Socket.IO event broke")
            return await self._refuse(sid, campaign_id, CallboardError.code, "Something went wrong")
        await self._tell(sid, campaign_events.PROGRESS, campaign_events.progress(campaign, self._now()))
        return {"success": True}

    async def _entered(self, sid: str, campaign_id: str, token: str) -> Campaign:
        """The campaign, as it is once the client cannot miss what comes."""
        joined = self._joined.setdefault(sid, {})  # now: should the client go meanwhile, nobody has this any more
        if not token:
            raise Unauthenticated("A token is required")
        principal = await self._allowed(token)
        campaign = await self._campaigns.get(principal, campaign_id)
        await self._server.enter_room(sid, campaign_room(campaign.id))
        joined[campaign.id] = token
        try:
            return await self._campaigns.counted(principal, campaign.id)
        except Exception:
            await self._show_out(sid, campaign.id)
            raise

    async def _leave(self, sid: str, *data: object) -> Ack:
        await self._show_out(sid, text_of(data[0] if data else None, "campaignId", MAX_ID))
        return {"success": True}

    async def _show_out(self, sid: str, campaign_id: str) -> None:
        self._joined.get(sid, {}).pop(campaign_id, None)
        await self._server.leave_room(sid, campaign_room(campaign_id))

    async def _allowed(self, token: str) -> Principal:
        principal = await self._auth.authenticate(token, self._now())
        principal.require("campaigns:read")
        return principal

    async def _refuse(self, sid: str, campaign_id: str, code: str, message: str) -> Ack:
        told = campaign_events.error(campaign_id, code, message)
        await self._tell(sid, campaign_events.ERROR, told)
        return {"success": False, "error": told["error"]}

    async def _tell(self, sid: str, event: str, payload: campaign_events.Payload) -> None:
        await self._server.emit(event, payload, to=sid, ignore_queue=True)
