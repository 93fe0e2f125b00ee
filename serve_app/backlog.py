"""What a carrier has said and the next call actor would need, should this one die. Pure.

The edge does not read the carrier's messages; the actor says which one opened the stream (`keep`) and up to which they
have gone into the call's log (`settle`). Actors count the messages of their own connection, so the numbers begin anew
with each: `begin` gives what a new connection starts with, and `add` what follows on it.
"""

from collections import deque

from actors.call_session.wire import Frame, Kind

MOST_BYTES = 2 * 1024 * 1024
"""Half a minute of sound at 24 kHz as Exotel writes it (64 kB/s), a minute and a half at 8 kHz."""


class Backlog:
    """The messages of one carrier that are not settled, oldest first, and the one that opened its stream."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._waiting: deque[Frame] = deque()
        self._bytes = 0
        self._before = 0
        """How many messages of the connection under way came before the oldest that waits."""
        self._opening: Frame | None = None
        self.dropped = 0
        """How many messages were too many to be kept."""

    def add(self, message: Frame) -> None:
        """The carrier said this. Beyond the bound the oldest messages go."""
        self._waiting.append(message)
        self._bytes += len(message.payload)
        while self._bytes > self._most_bytes:
            self._forget_oldest()
            self.dropped += 1

    def keep(self, payload: bytes) -> None:
        """This message of the carrier's opened the stream: every connection begins with it, settled or not."""
        if self._opening is None or self._opening.payload != payload:
            same = (message for message in self._waiting if message.payload == payload)
            self._opening = next(same, Frame(Kind.TEXT, payload))

    def settle(self, count: int) -> None:
        """Of the connection's messages, the first `count` are needed no more."""
        while self._waiting and self._before < count:
            self._forget_oldest()

    def begin(self) -> tuple[Frame, ...]:
        """A new connection begins: what it has to be told of what was said before, in order."""
        is_among = any(message is self._opening for message in self._waiting)
        first = () if self._opening is None or is_among else (self._opening,)
        self._before = len(first)
        return (*first, *self._waiting)

    def _forget_oldest(self) -> None:
        self._bytes -= len(self._waiting.popleft().payload)
        self._before += 1
