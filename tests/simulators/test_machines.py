"""What meets an agent that dials out, over a real socket: an answering machine's greeting, its beep, and a listener."""

import asyncio
import base64
import json

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from simulators.call import converse
from simulators.caller import Murmur, SayWithPauses, Script, StaySilent
from simulators.exotel_frames import StreamIds
from simulators.report import CallReport, Utterance
from simulators.scripts import voicemail
from simulators.sound import Floats, level_dbfs, to_pcm
from tests.simulators.platform_peer import Peer

pytestmark = pytest.mark.integration

IDS = StreamIds("stream", "call", "demo", "+919876543210", "+918047491899")


def line_during(report: CallReport, start: float, end: float) -> Floats:
    """The caller's line between two moments."""
    assert report.said is not None
    first, last = (int((moment - report.origin) * report.rate_hz) for moment in (start, end))
    return report.said[first:last]


def middle(utterance: Utterance) -> tuple[float, float]:
    """The middle third of it."""
    third = (utterance.end - utterance.start) / 3
    return utterance.start + third, utterance.end - third


async def test_a_voicemail_greets_beeps_and_listens() -> None:
    async def agent(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, "stop")

    async with Peer(agent) as peer:
        report = await converse(peer.media_url, IDS, voicemail("hello", "this is maria", listens_s=0.3))
    greeting, beep = report.utterances
    (_, first_end), (second_start, _) = greeting.parts
    assert second_start - first_end == pytest.approx(0.4)
    assert level_dbfs(line_during(report, first_end + 0.05, second_start - 0.05)) < -45
    assert level_dbfs(line_during(report, *middle(beep))) == pytest.approx(-18, abs=0.5)
    spectrum = np.abs(np.fft.rfft(line_during(report, beep.start, beep.start + 0.4)))
    assert np.argmax(spectrum) / 0.4 == pytest.approx(1_000, abs=3)
    assert report.ended - beep.end >= 0.28


async def test_a_listener_murmurs_and_the_agent_goes_on() -> None:
    async def agent(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, "start")
        pcm = to_pcm(np.float32(0.2) * np.sin(np.arange(16_000, dtype=np.float32)))
        media = {"payload": base64.b64encode(pcm).decode()}
        await socket.send(json.dumps({"event": "media", "stream_sid": "stream", "media": media}))
        await peer.next_frame(socket, "stop")

    async with Peer(agent) as peer:
        script = Script((Murmur("okay", after_s=0.3), Murmur("yeah", after_s=1.0), StaySilent(0.1)))
        report = await asyncio.wait_for(converse(peer.media_url, IDS, script), 10)
    (speech,) = report.agent_speech
    first, second = report.utterances
    assert [first.kind, second.kind] == ["murmur", "murmur"]
    assert 0.28 < first.start - speech[0] < 0.6
    assert 0.98 < second.start - speech[0] < 1.3
    assert report.missed == ()


async def test_a_turn_with_pauses_has_one_reply() -> None:
    async def agent(peer: Peer, socket: ServerConnection) -> None:
        await peer.next_frame(socket, "stop")

    async with Peer(agent) as peer:
        report = await converse(
            peer.media_url, IDS, Script((SayWithPauses(("yes", "please"), (0.3,)), StaySilent(0.1)))
        )
    assert [utterance.text for utterance in report.utterances] == ["yes please"]
    assert len(report.replies) == 1
