"""Sends one call's status callbacks to the platform, in order, beside the call."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from simulators.exotel_calls import as_form

_TIMEOUT_S = 15.0
"""Exotel waits that long for an answer."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One callback and the platform's HTTP status; None: it could not be reached."""

    body: Mapping[str, object]
    status: int | None


class Callbacks:
    """A queue to one address; `run` until the queue is closed and empty. Without an address everything is dropped."""

    def __init__(self, client: httpx.AsyncClient, url: str | None, *, is_json: bool) -> None:
        self.deliveries: list[Delivery] = []
        self._client = client
        self._url = url
        self._is_json = is_json
        self._queue: asyncio.Queue[Mapping[str, object] | None] = asyncio.Queue()

    def put(self, body: Mapping[str, object]) -> None:
        """Send this after what was put before."""
        self._queue.put_nowait(body)

    def close(self) -> None:
        """Nothing more comes."""
        self._queue.put_nowait(None)

    async def run(self) -> None:
        """Deliver what is put."""
        while (body := await self._queue.get()) is not None:
            if self._url:
                self.deliveries.append(Delivery(body, await self._post(self._url, body)))

    async def _post(self, url: str, body: Mapping[str, object]) -> int | None:
        try:
            if self._is_json:
                response = await self._client.post(url, json=dict(body), timeout=_TIMEOUT_S)
            else:
                # Exotel's default is multipart/form-data; httpx writes that for "files" without a file name.
                files = {name: (None, value) for name, value in as_form(body).items()}
                response = await self._client.post(url, files=files, timeout=_TIMEOUT_S)
        except httpx.HTTPError:
            return None
        return response.status_code
