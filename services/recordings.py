"""Where a call's audio is heard: the carrier's recording where it made one, else ours."""

import asyncio
from pathlib import Path

from models.call import Call
from models.errors import NotFound
from services.call_addresses import CallAddresses
from stores.calls import Calls


class RecordingService:
    """`data_dir` is where call actors keep recordings, shared by all nodes."""

    def __init__(self, data_dir: Path, calls: Calls, addresses: CallAddresses) -> None:
        self._data_dir = data_dir
        self._calls = calls
        self._addresses = addresses

    def url(self, call: Call) -> str | None:
        """The address to show for a call; None when nothing was recorded."""
        if call.recording is None:
            return None
        return call.recording.url or (self._addresses.recording(call.id) if call.recording.path else None)

    async def file(self, call_id: str, token: str) -> Path:
        """Our recording; raises Unauthenticated, and NotFound when there is none (here)."""
        self._addresses.check_recording(call_id, token)
        call = await self._calls.by_id(call_id)
        path = await asyncio.to_thread(self._located, call.recording.path if call.recording else None)
        if path is None:
            raise NotFound("Recording not found")
        return path

    def _located(self, path: str | None) -> Path | None:
        """The file, if it is one and inside the data directory."""
        place = self._data_dir.resolve()
        found = place if path is None else (place / path).resolve()
        return found if found.is_relative_to(place) and found.is_file() else None
