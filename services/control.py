"""The roles of whoever can reach call actors. Services know no more of actors than this."""

from typing import Protocol

from models.call import Call, SessionId
from models.document import Id


class CallControl(Protocol):
    """Commands to a call under way."""

    async def end(self, call: Call, reason: str) -> bool:
        """Ask the actor that carries the call (`call.lease`) to end it; False: that actor is gone. Raises nothing."""

    async def carries(self, call: Call) -> bool:
        """Whether the actor of the call's lease is alive and with this call, as far as can be told. Raises nothing."""


class Capacity(Protocol):
    """Room for calls: an actor is kept for every phone that rings, so that nobody who answers waits for one."""

    async def reserve(self, session_id: SessionId, *, for_s: float, patience_s: float = 0.0) -> str:
        """Keep a warm actor for this call for so long; returns the pool that does (`Call.pool`).

        Waits up to `patience_s` for one that is being started. Raises NoCapacity.
        """

    async def cancel(self, pool: str, session_id: SessionId) -> None:
        """The call will not come. Raises nothing; a reservation nobody cancels lapses."""

    async def check(self) -> None:
        """Return when somebody could be asked for an actor, whether there is one or not. Raises NoCapacity."""


class Actors(CallControl, Capacity, Protocol):
    """Both."""


class CampaignActors(Protocol):
    """Whoever starts the actors of campaigns."""

    async def see_to(self, campaign_id: Id) -> None:
        """Have the campaign's actor look at its campaign now, and run at all. Raises nothing: what cannot be told now
        is found in the store within seconds.
        """
