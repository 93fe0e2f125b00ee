"""A carrier's media socket: sends the caller's line every 100 ms of real time, plays what comes back to the ear."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from simulators.ear import Ear
from simulators.exotel_frames import FRAME_S, Cleared, Frames, Garbled, Marked, Played, chunk_problem, parse
from simulators.mouth import Mouth
from simulators.report import Violation
from simulators.sound import LINE_HZ, Floats, Widener, from_pcm, to_pcm


@dataclass(slots=True)
class Faults:
    """What the platform, or this machine, did wrong on the socket."""

    violations: list[Violation]
    garbled: int = 0
    latest_frame_s: float = 0.0


class MediaLine:
    """One open stream; also the receiver in the caller's hand. `run` until it returns or is cancelled."""

    def __init__(self, socket: ClientConnection, frames: Frames, mouth: Mouth, *, rate_hz: int) -> None:
        self.origin = time.monotonic()
        self.ear = Ear(rate_hz, origin=self.origin)
        self.faults = Faults([])
        self._socket = socket
        self._frames = frames
        self._mouth = mouth
        self._widener = Widener(rate_hz)
        self._marks_changed = asyncio.Event()

    async def run(self) -> None:
        """Announce the stream, then carry sound both ways until the platform closes the socket."""
        try:
            await self._socket.send(self._frames.connected())
            await self._socket.send(self._frames.start())
        except ConnectionClosed:
            return
        tasks = [asyncio.create_task(part) for part in (self._send_sound(), self._echo_marks(), self._receive())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                raise result

    async def stop(self, reason: str) -> None:
        """Tell the platform that the stream is over, and close; nothing to tell when it closed first."""
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(self._frames.stop(reason))
        await self._socket.close()

    # --- the receiver in the caller's hand -----------------------------------------------------------
    def speak(self, samples: Floats, *, dbfs: float | None = None) -> tuple[float, float, float]:
        """Put a sound (8 kHz) on the line now; returns when it starts, ends and has left."""
        now = int((time.monotonic() - self.origin) * LINE_HZ) + 1
        start, end = self._mouth.say(samples, now, dbfs=dbfs)
        frame = int(FRAME_S * LINE_HZ)
        sent = -(-end // frame) * frame
        return self.origin + start / LINE_HZ, self.origin + end / LINE_HZ, self.origin + sent / LINE_HZ

    async def press(self, digit: str) -> None:
        """Press one key; on a line that is gone, nobody notices."""
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(self._frames.dtmf(digit))

    # --- the three flows -----------------------------------------------------------------------------
    async def _send_sound(self) -> None:
        count = int(FRAME_S * LINE_HZ)
        while True:
            # A frame leaves when its last sample was spoken; the clock is absolute, so lateness never adds up.
            due = self.origin + (self._mouth.position + count) / LINE_HZ
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.faults.latest_frame_s = max(self.faults.latest_frame_s, time.monotonic() - due)
            pcm = to_pcm(self._widener.feed(self._mouth.read(count)))
            await self._socket.send(self._frames.media(pcm))

    async def _echo_marks(self) -> None:
        while True:
            self._marks_changed.clear()
            for name in self.ear.due(time.monotonic()):
                await self._socket.send(self._frames.mark(name))
            await self._until(self.ear.deadline())

    async def _until(self, deadline: float | None) -> None:
        """Return at the deadline, or when another mark or a clear may have moved it."""
        delay = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            await asyncio.wait_for(self._marks_changed.wait(), delay)
        except TimeoutError:
            return

    async def _receive(self) -> None:
        async for message in self._socket:
            self._take(message, time.monotonic())

    def _take(self, message: str | bytes, now: float) -> None:
        match parse(message):
            case Played(pcm):
                if problem := chunk_problem(len(pcm)):
                    self.faults.violations.append(Violation(now - self.origin, len(pcm), problem))
                self.ear.hear(from_pcm(pcm), now)
            case Marked(name):
                self.ear.mark(name, now)
                self._marks_changed.set()
            case Cleared():
                self.ear.clear(now)
                self._marks_changed.set()
            case Garbled():
                self.faults.garbled += 1
