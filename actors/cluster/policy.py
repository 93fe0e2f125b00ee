"""What the nodes of a cluster need: pools where there are none, calls let in or not, more nodes or fewer. Pure.

Times are seconds of any clock that only goes forward.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SPARE_SHARE = 10
"""Beyond the idle ones, one call in so many is added to what is asked for: a new node takes minutes to join."""
RETIRE_AFTER_S = 600.0
"""How long a node has to be unneeded before its pool is drained; a lull is shorter, and nodes are slow to come back."""
UNHEARD_S = 10.0
"""How long workers that are slow to answer are taken to be as they were."""
NEVER = float("inf")
KEY_LETTERS = 12
"""Enough of a Ray node id to tell nodes apart; `actors/handles.py` names pools by so many."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is alive and takes calls: its Ray id, and how many at most."""

    id: str
    slots: int

    @property
    def key(self) -> str:
        """What its pool goes by, here and in Ray."""
        return self.id[:KEY_LETTERS]


@dataclass(frozen=True, slots=True)
class Load:
    """One pool at one moment, in calls."""

    slots: int
    leased: int
    reserved: int
    is_draining: bool

    @property
    def is_over(self) -> bool:
        """Whether it is draining and nothing is left."""
        return self.is_draining and not self.leased and not self.reserved


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the calls of now need of the cluster, some more to come included."""

    slots: int
    nodes: int
    """So many nodes of the usual size have these slots."""


def wanted(loads: Iterable[Load], *, idle_min: int, node_slots: int) -> Wanted:
    """What to ask an autoscaler for. A draining pool's calls count, its free places do not.

    `node_slots` is what a node offers; a node that is being drained is asked for once more while it lasts, because an
    autoscaler takes it for room.
    """
    each = list(loads)
    busy = sum(load.leased + load.reserved for load in each)
    staying = sum(load.leased + load.reserved for load in each if not load.is_draining)
    spare = idle_min + busy // SPARE_SHARE
    draining = sum(load.is_draining for load in each)
    return Wanted(staying + spare, -(-(staying + spare) // node_slots) + draining)


class Nodes:
    """Which nodes have a pool, which ought to, and which are on their way out. Pools go by their node's key."""

    def __init__(self) -> None:
        self._drained: set[str] = set()
        self._retiring: set[str] = set()
        self._unneeded_since = NEVER

    def to_start(self, nodes: Iterable[Node], pools: Iterable[str]) -> list[Node]:
        """Nodes that need a pool: they joined, or theirs is gone. One that was drained or retired stays without."""
        without = set(pools) | self._drained | self._retiring
        return [node for node in nodes if node.key not in without]

    def to_forget(self, nodes: Iterable[Node], pools: Iterable[str]) -> list[str]:
        """Pools whose node is dead. What was known of dead nodes is forgotten with them."""
        alive = {node.key for node in nodes}
        self._drained &= alive
        self._retiring &= alive
        return [pool for pool in pools if pool not in alive]

    def to_drain_again(self, loads: Mapping[str, Load]) -> list[str]:
        """Pools that were draining and no longer know, because they were restarted. Who drains is learnt here."""
        self._drained |= {pool for pool, load in loads.items() if load.is_draining} - self._retiring
        return [pool for pool, load in loads.items() if not load.is_draining and pool in self._drained | self._retiring]

    def to_close(self, loads: Mapping[str, Load]) -> list[str]:
        """Drained pools without a call. Only an autoscaler has a use for a node nothing runs on."""
        return [pool for pool, load in loads.items() if load.is_over]

    def to_retire(self, loads: Mapping[str, Load], need: Wanted, now: float) -> str | None:
        """The pool to drain because the others have been enough for a while: the one with the fewest calls.

        One at a time, so that what each departure does to the rest is seen before the next.
        """
        open_ones = {pool: load for pool, load in loads.items() if not load.is_draining}
        chosen = min(open_ones, key=lambda pool: (open_ones[pool].leased, pool), default=None)
        if chosen is None or self._retiring & loads.keys() or not _enough_without(chosen, open_ones, need):
            self._unneeded_since = NEVER
            return None
        self._unneeded_since = min(self._unneeded_since, now)
        if now - self._unneeded_since < RETIRE_AFTER_S:
            return None
        self._unneeded_since = NEVER
        self._retiring.add(chosen)
        return chosen

    def to_bring_back(self, loads: Mapping[str, Load], need: Wanted) -> str | None:
        """A retiring node to give a new pool, because the open ones are no longer enough; the calls it has stay."""
        if not self._retiring or sum(load.slots for load in loads.values() if not load.is_draining) >= need.slots:
            return None
        chosen = min(self._retiring)
        self._retiring.discard(chosen)
        return chosen


class Admission:
    """Whether speech to text has room for another call, by what its workers say."""

    def __init__(self) -> None:
        self.is_open = True
        self._heard_at: float | None = None
        self._told: dict[str, bool] = {}

    def hear(self, answers: Sequence[bool | None], now: float) -> bool:
        """Each worker's answer: admitting or not; None for one that is late. A dead worker admits nobody.

        Late ones leave things as they were for UNHEARD_S; nobody to ask is nobody to listen to a call.
        """
        if True in answers:
            self.is_open = True
        elif None not in answers:
            self.is_open = False
        elif self._heard_at is not None and now - self._heard_at > UNHEARD_S:
            self.is_open = False
        if self._heard_at is None or None not in answers or True in answers:
            self._heard_at = now
        return self.is_open

    def to_tell(self, pools: Iterable[str]) -> list[str]:
        """Pools that may not know. A refusal is told every time: a pool that was restarted would not know of it."""
        self._told = {pool: told for pool, told in self._told.items() if pool in set(pools)}
        return [pool for pool in pools if not self.is_open or self._told.get(pool) is not True]

    def told(self, pool: str) -> None:
        """The pool knows how it is now."""
        self._told[pool] = self.is_open


def _enough_without(chosen: str, open_ones: Mapping[str, Load], need: Wanted) -> bool:
    """Whether the other open pools have places for all that is wanted, the calls of the chosen one aside."""
    left = sum(load.slots for pool, load in open_ones.items() if pool != chosen)
    return left >= need.slots
