"""The role of whoever can reach a live call's actor. Services know no more of actors than this."""

from typing import Protocol

from models.call import Call


class CallControl(Protocol):
    """Commands to a call under way."""

    async def end(self, call: Call, reason: str) -> bool:
        """Ask the actor that carries the call (`call.lease`) to end it; False: that actor is gone. Raises nothing."""
