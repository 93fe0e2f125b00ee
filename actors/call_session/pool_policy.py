"""Who is in a pool of call actors, whom it lends to which call, whom it starts and stops. Pure bookkeeping.

Time is an argument, in seconds of a monotonic clock.
"""

import math
from dataclasses import dataclass, replace
from enum import Enum

from actors.call_session.pool_demand import Demand
from models.settings import Settings

FULL = "full"
STARTING = "starting"
"""There is room, but the actors for it are not warm yet."""
SPEECH_TO_TEXT = "speech_to_text"
"""There is room here, but nobody to understand another caller."""
DRAINING = "draining"
TAKEN = "taken"
"""The call has an actor already, which somebody else asked for."""

UNKNOWN = "unknown"
"""Stands for the session of an actor that may be busy, until somebody finds out."""

RETRY_S = 5
RETRY_ELSEWHERE_S = 30
"""A pool that drains takes no call any more; its successor may."""
SPARE = 1
SURPLUS_S = 120.0
"""Idle actors beyond the target and SPARE for so long are let go, one at a time."""
SLOTS_PER_START = 32
"""A node with room for many calls has the cores to start more than two actors at once."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The numbers of one pool."""

    slots: int
    """Actors at most, and so live calls."""
    idle_min: int
    """Warm actors that nobody has a claim on, at least, while there is room."""
    at_once: int = 2
    """Cold starts at the same time; more take longer in all."""
    max_calls: int = 200
    max_rss_bytes: int = 700_000_000
    """An actor that has had so many calls, or has become so big, is replaced."""

    @staticmethod
    def of(settings: Settings, slots: int) -> "Rules":
        """The rules of a node with room for `slots` calls."""
        return Rules(
            slots=slots,
            idle_min=min(settings.call_idle_min, slots),
            at_once=max(2, slots // SLOTS_PER_START),
            max_calls=settings.call_actor_max_calls,
            max_rss_bytes=settings.call_actor_max_mb * 1_000_000,
        )


class Standing(Enum):
    """Where an actor is in its life; one that died is simply gone from the roster."""

    STARTING = "starting"
    IDLE = "idle"
    LEASED = "leased"


@dataclass(frozen=True, slots=True)
class Member:
    """One actor of the pool. `calls` is how many it has been leased for; one not current is never lent again."""

    name: str
    standing: Standing
    session_id: str | None = None
    calls: int = 0
    is_current: bool = True
    by: str | None = None
    """Who asked for it for the session; None: nobody remembers."""
    since: float = 0.0
    """When its start began; of those found running, nothing."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No actor for a call: `reason` is one of the words above."""

    reason: str
    retry_after_s: int = RETRY_S


class Roster:
    """The members of one pool and the claims on them.

    A reservation is a claim on any one idle actor, not on a certain one: should an idle actor die, the next takes its
    place. `free` are the idle ones beyond all claims.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._members: dict[str, Member] = {}
        self._reserved: dict[str, float] = {}
        self._demand = Demand()
        self._surplus_since: float | None = None
        self.is_admitting = True
        """Whether anything but this pool allows another call."""
        self.is_draining = False

    # --- what there is ----------------------------------------------------------------------------------
    @property
    def rules(self) -> Rules:
        """The pool's numbers."""
        return self._rules

    @property
    def members(self) -> tuple[Member, ...]:
        """Everybody, in the order they came."""
        return tuple(self._members.values())

    def count(self, standing: Standing) -> int:
        """How many stand there."""
        return sum(member.standing is standing for member in self._members.values())

    def reserved(self, now: float) -> int:
        """How many calls have a claim on an idle actor."""
        for session_id in [each for each, until in self._reserved.items() if until <= now]:
            del self._reserved[session_id]
        return len(self._reserved)

    def free(self, now: float) -> int:
        """How many idle actors nobody has a claim on."""
        return max(0, len(self._idle()) - self.reserved(now))

    def room(self, now: float) -> int:
        """How many more calls could have an actor, warm or not: the slots no call is in or has a claim on."""
        return max(0, self._rules.slots - self.count(Standing.LEASED) - self.reserved(now))

    def target(self, now: float) -> int:
        """How many actors should be free, or on their way to be."""
        if self.is_draining:
            return 0
        return min(self._rules.idle_min + self._demand.ahead(now), self.room(now))

    def is_open(self, now: float) -> bool:
        """Whether as many are warm as a pool has before its first call."""
        return self.is_draining or self.free(now) >= min(self._rules.idle_min, self.room(now))

    def has(self, member: Member) -> bool:
        """Whether nothing has happened to this member meanwhile."""
        return self._members.get(member.name) == member

    def with_call(self, session_id: str) -> str | None:
        """The actor leased for the session."""
        return next((each.name for each in self._members.values() if each.session_id == session_id), None)

    def holds(self, name: str, session_id: str) -> bool:
        """Whether the actor is leased for this very session; a late release must not free the next call's actor."""
        member = self._members.get(name)
        return member is not None and member.standing is Standing.LEASED and member.session_id == session_id

    # --- whom to start and stop ---------------------------------------------------------------------------
    def to_start(self, now: float) -> int:
        """How many actors to start now."""
        if self.is_draining:
            return 0
        starting = self.count(Standing.STARTING)
        wanted = self.target(now) + self.reserved(now) - len(self._idle()) - starting
        return max(0, min(wanted, self._rules.slots - len(self._members), self._rules.at_once - starting))

    def to_stop(self, now: float) -> list[str]:
        """Idle actors to stop now; they have left the roster."""
        idle = sorted(self._idle(), key=lambda member: -member.calls)
        stopped = [
            each.name for each in self._members.values() if each.standing is Standing.IDLE and not each.is_current
        ]
        stopped += [member.name for member in idle[: self._superfluous(now)]]
        for name in stopped:
            del self._members[name]
        return stopped

    def _superfluous(self, now: float) -> int:
        if self.is_draining:  # a phone that rings was promised an actor before
            return self.free(now)
        if self.free(now) <= self.target(now) + SPARE:
            self._surplus_since = None
            return 0
        if self._surplus_since is None:
            self._surplus_since = now
        return 1 if now - self._surplus_since >= SURPLUS_S else 0

    # --- an actor's life ----------------------------------------------------------------------------------
    def starting(self, name: str, now: float) -> None:
        """An actor is on its way."""
        self._members[name] = Member(name, Standing.STARTING, since=now)

    def warm(self, name: str, now: float) -> float:
        """A start is over; returns how long it took."""
        took_s = now - self._members[name].since
        self._demand.started(took_s)
        self._members[name] = Member(name, Standing.IDLE)
        return took_s

    def found(self, name: str, *, session_id: str | None, is_current: bool = True) -> None:
        """An actor turned out to be with this call, or with none."""
        calls = self._members[name].calls if name in self._members else 0
        standing = Standing.IDLE if session_id is None else Standing.LEASED
        self._members[name] = Member(name, standing, session_id, calls, is_current)

    def doubted(self, name: str) -> None:
        """Nobody knows whether the actor is with a call, or with which."""
        if name in self._members:
            self._members[name] = replace(self._members[name], standing=Standing.LEASED, session_id=UNKNOWN)

    def returned(self, name: str, session_id: str, rss_bytes: int) -> bool:
        """The actor is clean again; False: it has left the roster all the same, and is to be stopped."""
        if not self.holds(name, session_id):
            return True
        member = self._members[name]
        is_worn = member.calls >= self._rules.max_calls or rss_bytes >= self._rules.max_rss_bytes
        if is_worn or not member.is_current:
            del self._members[name]
            return False
        self._members[name] = replace(member, standing=Standing.IDLE, session_id=None)
        return True

    def lost(self, name: str) -> bool:
        """The actor is dead or beyond trust; False: it was not here any more."""
        return self._members.pop(name, None) is not None

    # --- calls --------------------------------------------------------------------------------------------
    def reserve(self, session_id: str, *, now: float, until: float) -> Refusal | None:
        """Keep an actor for a call that will come, or make its reservation last longer; None: done."""
        self._demand.arrived(session_id, now)
        refusal = None if self._has_claim(session_id, now) else self._refusal(now)
        if refusal is None:
            self._reserved[session_id] = until
        return refusal

    def cancel(self, session_id: str) -> None:
        """The call will not come, or has come elsewhere."""
        self._reserved.pop(session_id, None)

    def lease(self, session_id: str, now: float, by: str = "") -> str | Refusal:
        """The idle actor with the fewest calls; asked again by the same, who may not have heard it, the same actor."""
        if (held := self.with_call(session_id)) is not None:
            return held if self._members[held].by in (None, by) else Refusal(TAKEN)
        idle, has_claim = self._idle(), self._has_claim(session_id, now)
        if not has_claim:
            self._demand.arrived(session_id, now)
        if self.is_draining and not has_claim:
            return Refusal(DRAINING, RETRY_ELSEWHERE_S)
        if not idle or not (has_claim or self.free(now)):
            return self._crowded(now, claimed=has_claim)
        self.cancel(session_id)
        chosen = min(idle, key=lambda member: member.calls)
        self._members[chosen.name] = replace(
            chosen, standing=Standing.LEASED, session_id=session_id, calls=chosen.calls + 1, by=by
        )
        return chosen.name

    def _refusal(self, now: float) -> Refusal | None:
        if self.is_draining:
            return Refusal(DRAINING, RETRY_ELSEWHERE_S)
        if not self.is_admitting:
            return Refusal(SPEECH_TO_TEXT)
        return None if self.free(now) else self._crowded(now, claimed=False)

    def _crowded(self, now: float, *, claimed: bool) -> Refusal:
        if claimed or self.room(now):
            return Refusal(STARTING, max(1, math.ceil(self._demand.start_s)))
        return Refusal(FULL)

    def _has_claim(self, session_id: str, now: float) -> bool:
        return self.reserved(now) > 0 and session_id in self._reserved

    def _idle(self) -> list[Member]:
        return [each for each in self._members.values() if each.standing is Standing.IDLE and each.is_current]
