"""Calls into the platform that it does not take."""

import pytest
from websockets.asyncio.server import ServerConnection

from simulators.caller import HangUp, Script
from simulators.carrier import Carrier, NotConnected, Plan
from tests.simulators.platform_peer import Peer

pytestmark = pytest.mark.integration

NOTHING = Script((HangUp(),))


async def never(peer: Peer, socket: ServerConnection) -> None:
    """Nobody connects."""
    raise AssertionError("a refused call was connected")


@pytest.mark.parametrize(("path", "reason"), [("full", "busy"), ("deaf", None)])
async def test_the_platforms_word_for_refusing_is_kept(path: str, reason: str | None) -> None:
    async with Carrier(Plan(NOTHING)) as carrier, Peer(never) as peer:
        with pytest.raises(NotConnected) as refused:
            await carrier.call_in(f"{peer.url}/{path}", NOTHING, from_number="+1555", to_number="+1666")
        assert refused.value.reason == reason
        assert carrier.calls == {}
