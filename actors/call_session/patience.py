"""How long silence lasts before somebody says something: the agent that is late, the caller who is gone. Pure."""

from collections.abc import Sequence

from models.conversation import Silence, TurnTaking

AGAIN_S = 2.2
"""Between one "one moment" and the next: with the time a voice needs, less than 3 s without a word."""


class Patience:
    """Counts what has been said into the silence."""

    def __init__(self, silence: Silence, turn_taking: TurnTaking) -> None:
        self._silence = silence
        self._late_s = turn_taking.acknowledge_after_ms / 1000
        self._sentences: Sequence[str] = turn_taking.acknowledgements
        self._acknowledged = 0
        self._acknowledged_at = 0.0
        self._reprompts = 0

    def caller_began(self) -> None:
        """The caller does something: the wait for the answer will be another one."""
        self._acknowledged = 0

    def caller_spoke(self) -> None:
        """The caller has said something: somebody is there."""
        self._reprompts = 0

    def late_at(self, owed_since: float | None) -> float | None:
        """When the wait for an answer has to be bridged; `owed_since` None: nobody waits."""
        if owed_since is None or not self._late_s:
            return None
        if not self._acknowledged:
            return owed_since + self._late_s
        return max(owed_since, self._acknowledged_at) + AGAIN_S

    def acknowledgement(self, now: float) -> str:
        """What to say then: each sentence in turn."""
        self._acknowledged += 1
        self._acknowledged_at = now
        return self._sentences[(self._acknowledged - 1) % len(self._sentences)]

    def lonely_at(self, quiet_since: float | None) -> float | None:
        """When to ask whether anybody is there; `quiet_since` None: somebody speaks or is about to."""
        return None if quiet_since is None else quiet_since + self._silence.reprompt_after_s

    def reprompt(self) -> tuple[str, bool]:
        """What to say then, and whether it is the last thing said."""
        if self._reprompts >= self._silence.reprompts:
            return self._silence.goodbye, True
        self._reprompts += 1
        return self._silence.reprompt, False
