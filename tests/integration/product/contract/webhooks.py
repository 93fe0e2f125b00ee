"""The addresses a carrier was given, spoken to as it would."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from models.document import Id
from models.settings import Settings
from services.call_addresses import CallAddresses
from stores.calls import Still
from stores.mongo import connect, database
from stores.repositories import Repositories


@dataclass(frozen=True)
class Webhooks:
    """Posts what a carrier would, to the running product."""

    http: httpx.AsyncClient
    settings: Settings

    def status(self, call_id: str) -> str:
        """Where this call's status goes."""
        return self.local(CallAddresses(self.settings).status(Id(call_id)))

    def recording(self, call_id: str) -> str:
        """Where this call's recording goes."""
        return self.status(call_id).replace("/status?", "/recording?")

    def local(self, url: str) -> str:
        """An address we handed out, on this machine."""
        address = urlsplit(url)
        return f"http://127.0.0.1:{self.settings.port}{address.path}?{address.query}"

    async def tell(self, call: dict[str, Any], status: str, **fields: object) -> httpx.Response:
        """News of a call, as JSON."""
        body = {"CallSid": call["exotelCallSid"], "CallStatus": status, **fields}
        return await self.http.post(self.status(call["_id"]), json=body)

    async def is_over(self, call: dict[str, Any], duration_s: int) -> None:
        """The carrier's last word on a call, the only one it said: how long it was is then the carrier's word too."""
        url = "https://exotel.com/recordings/call_123.mp3"
        over = await self.tell(call, "completed", CallDuration=str(duration_s), RecordingUrl=url)
        assert over.status_code == 200, over.text

    async def all_give_up(self) -> None:
        """The carrier's last word on every call that nobody carries: the product has few lines, and rings them all."""
        async with connect(self.settings) as client:
            for call in await Repositories.over(database(client, self.settings)).calls.stale(Still(uncarried=True)):
                address = self.status(call.id)
                if call.direction == "inbound":
                    asked = CallAddresses(self.settings).incoming(call.phone_id)
                    address = self.local(asked).replace("/incoming?", "/status?")
                news = {"CallSid": call.carrier_call_id or call.id, "CallStatus": "no-answer"}
                await self.http.post(address, json=news)
