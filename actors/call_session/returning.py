"""A call comes back after its actor died: when the agent speaks again, and what it says first. Pure.

What the caller said meanwhile comes first, all at once, and is listened to as if it came now. A caller who is speaking
then has noticed nothing and is simply answered. One who waits hears at once that the line had dropped, and what they
are owed.
"""

from actors.call_session import prompt
from actors.call_session.hearing import Hearing
from actors.call_session.protocol import Command
from actors.call_session.resuming import Resumption, What
from actors.call_session.speaking import Speaking

FRESH_S = 0.25
"""Sound that lies further back than this is repeated: more of it is on its way at this very moment."""
CATCH_UP_S = 0.5
"""Without fresh sound by then, as from a carrier that sends none in silence, there is nothing to catch up with."""


class Return:
    """The first moments of a call that was carried before; does nothing for a new one."""

    def __init__(self, resumption: Resumption | None) -> None:
        self.is_catching_up = False
        """Repeated sound is still coming in: nothing is said before it is known."""
        self._owed = resumption.owed if resumption is not None and resumption.owed.what is not What.BEGIN else None
        self._has_told = False
        self._is_spoken_over = False
        """The caller spoke on: their words bridge the gap."""
        self._until = 0.0

    def opened(self, now: float) -> None:
        """The line is up again."""
        self.is_catching_up = True
        self._until = now + CATCH_UP_S

    def heard(self, age_s: float) -> None:
        """The caller's sound of so long ago."""
        self.is_catching_up = self.is_catching_up and age_s >= FRESH_S

    def deadline(self) -> float | None:
        """When `tick` has something to change."""
        return self._until if self.is_catching_up else None

    def tick(self, now: float) -> None:
        """Time passed."""
        self.is_catching_up = self.is_catching_up and now < self._until

    def speak(self, hearing: Hearing, speaking: Speaking, now: float) -> list[Command]:
        """Tell that the line had dropped, and give what is owed, unless the caller has asked for something newer."""
        owed = self._owed
        self._is_spoken_over = self._is_spoken_over or hearing.is_speaking
        if speaking.is_answering:
            self._owed = None
        if owed is None or hearing.is_speaking or speaking.is_busy:
            return []
        if hearing.is_expecting:
            if not (self._has_told or self._is_spoken_over):
                self._has_told = True
                speaking.acknowledge(prompt.RESUMED, now, speech_end=None)
            return []
        self._owed = None
        bridge = "" if self._has_told else prompt.RESUMED
        sentence = " ".join(filter(None, [bridge, owed.sentence]))
        return speaking.take_up(sentence, now, asks=owed.what is What.ANSWER)
