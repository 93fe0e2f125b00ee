"""One simulated call over a media socket, from the carrier's hello to the report; for carrier and benchmarks."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage

from simulators.caller import Caller, Script
from simulators.carrier_media import MediaLine
from simulators.exotel_frames import Frames, StreamIds, parameters_of, rate_of
from simulators.mouth import Mouth
from simulators.report import CallReport, replies_to
from simulators.sound import LINE_HZ, Floats, resampled, save_stereo

OPEN_TIMEOUT_S = 10.0
"""Exotel gives a platform that long to take the socket, and tries twice."""
_ATTEMPTS = 2
_CLOSE_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Recorder:
    """Where recordings go: one stereo WAV per call (caller left, agent right), named by its sid."""

    directory: Path

    def save(self, call_sid: str, said: Floats, heard: Floats, rate_hz: int) -> Path:
        """Write one call's recording."""
        path = self.directory / f"{call_sid}.wav"
        save_stereo(path, said, heard, rate_hz)
        return path


async def converse(
    url: str, ids: StreamIds, script: Script, *, time_limit_s: float = 3600.0, recorder: Recorder | None = None
) -> CallReport:
    """Connect the media socket, let the caller follow the script, report. Nothing the platform does makes it raise."""
    rate_hz = rate_of(url)
    socket = await _connected(url)
    if socket is None:
        now = time.monotonic()
        return CallReport(ids.call_sid, ids.from_number, ids.to_number, rate_hz, now, now, "refused")
    mouth = Mouth(script.line, seed=script.seed)
    line = MediaLine(socket, Frames(ids, rate_hz=rate_hz, parameters=parameters_of(url)), mouth, rate_hz=rate_hz)
    caller = Caller(script, line)
    try:
        end_reason = await _talk(line, caller, time_limit_s)
        ended = time.monotonic()
        await line.stop("stopped" if end_reason == "time limit" else "callended")
    finally:
        await socket.close()
    said = resampled(mouth.spoken(), LINE_HZ, rate_hz)
    heard = line.ear.heard(ended)
    path = await asyncio.to_thread(recorder.save, ids.call_sid, said, heard, rate_hz) if recorder else None
    return _report(ids, line, caller, ended, end_reason, (said, heard, path))


async def _connected(url: str) -> ClientConnection | None:
    """The open socket; None when the platform refused it twice."""
    for _ in range(_ATTEMPTS):
        try:
            return await connect(
                url, open_timeout=OPEN_TIMEOUT_S, close_timeout=_CLOSE_TIMEOUT_S, ping_interval=None, compression=None
            )
        except (OSError, InvalidHandshake, InvalidMessage, TimeoutError):
            continue
    return None


async def _talk(line: MediaLine, caller: Caller, time_limit_s: float) -> str:
    """Run the line and the caller until one of them, or the time, ends the call; says who did."""
    tasks = {
        asyncio.create_task(line.run()): "platform",
        asyncio.create_task(caller.follow()): "caller",
    }
    try:
        done, _ = await asyncio.wait(tasks, timeout=time_limit_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
    return next((who for task, who in tasks.items() if task in done), "time limit")


def _report(
    ids: StreamIds,
    line: MediaLine,
    caller: Caller,
    ended: float,
    end_reason: str,
    sound: tuple[Floats, Floats, Path | None],
) -> CallReport:
    ear, (said, heard, path) = line.ear, sound
    return CallReport(
        call_sid=ids.call_sid,
        from_number=ids.from_number,
        to_number=ids.to_number,
        rate_hz=ear.rate_hz,
        origin=line.origin,
        ended=ended,
        end_reason=end_reason,
        utterances=tuple(caller.utterances),
        replies=replies_to(caller.utterances, ear),
        agent_speech=tuple(span for span in ear.speech() if span[0] < ended),
        gaps=tuple(ear.gaps),
        marks=tuple(ear.marks),
        clears=tuple(ear.clears),
        violations=tuple(line.faults.violations),
        garbled=line.faults.garbled,
        missed=tuple(caller.missed),
        latest_frame_s=line.faults.latest_frame_s,
        recording=path,
        said=said,
        heard=heard,
    )
