"""`callboard drain`: no new calls on a node or on all of them, and how many are left until there is none."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from cli.errand import run_errand
from cli.errors import StartFailed
from cli.terminal import Terminal
from models.settings import Settings

DONE = 0
CALLS_LEFT = 1
REFUSED = 2
POLL_S = 1.0
TELL_S = 5.0
MARGIN_S = 60.0
SHORTEST_PREFIX = 4
NODE_LETTERS = 12
ROW = "{:<14}{:<17}{:>6}{:>9}{:>6}{:>7}{:>10}  {}"


class Stats(Protocol):
    """What is told of a pool that answers."""

    @property
    def idle(self) -> int: ...
    @property
    def leased(self) -> int: ...
    @property
    def slots(self) -> int: ...
    @property
    def reserved(self) -> int: ...
    @property
    def is_draining(self) -> bool: ...


class View(Protocol):
    """One pool."""

    @property
    def node_id(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def stats(self) -> Stats | None: ...
    @property
    def replicas(self) -> int: ...


class Pools(Protocol):
    """The pools of the cluster that is drained."""

    def view(self) -> Sequence[View]:
        """All of them now."""

    def drain(self, node_ids: Iterable[str]) -> None:
        """Let no further call in."""

    def leave(self, node_id: str, within_s: float) -> None:
        """Have the node's Serve replicas move elsewhere, too."""


def drain(settings: Settings, *, node: str | None, wait_s: float | None, is_leaving: bool) -> int:
    """Drain and wait; returns the exit status."""
    wait_s = settings.max_call_s + MARGIN_S if wait_s is None else wait_s
    try:
        if is_leaving and node is None:
            raise StartFailed("--leave is for one node: say which with --node")
        return run_errand(settings, "drain", node or "", str(wait_s), "leave" if is_leaving else "stay")
    except StartFailed as failure:
        Terminal().error(str(failure))
        return REFUSED


def drained(
    pools: Pools,
    terminal: Terminal,
    *,
    node: str,
    wait_s: float,
    is_leaving: bool,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Drain the pools of `node` (empty: all), tell how it goes and wait for the last call; returns the exit status."""
    views = pools.view()
    chosen = [view.node_id for view in views if _is_meant(view, node)]
    if not chosen:
        terminal.error(f"no node {node} with a pool" if node else "no node has a pool")
        _tell(terminal, views)
        return REFUSED
    for node_id in chosen if is_leaving else ():
        pools.leave(node_id, wait_s + MARGIN_S)
    return _wait(pools, terminal, chosen, wait_s=wait_s, is_leaving=is_leaving, clock=clock, pause=pause)


def _wait(
    pools: Pools,
    terminal: Terminal,
    chosen: Sequence[str],
    *,
    wait_s: float,
    is_leaving: bool,
    clock: Callable[[], float],
    pause: Callable[[float], None],
) -> int:
    give_up, tell_at = clock() + wait_s, clock()
    while True:
        views = _drain(pools, chosen)
        left = [view for view in views if not _is_over(view, is_leaving=is_leaving)]
        if not left:
            _tell(terminal, views)
            terminal.note("No call is left.")
            return DONE
        if clock() >= tell_at:
            _tell(terminal, views)
            tell_at = clock() + TELL_S
        if clock() >= give_up:
            terminal.note(f"Time is up. Calls left: {_calls(left)}.")
            return CALLS_LEFT
        pause(POLL_S)


def _drain(pools: Pools, chosen: Sequence[str]) -> list[View]:
    """The chosen pools, after those that do not drain yet, or no longer, were told to."""
    open_ones = [view.node_id for view in pools.view() if view.node_id in chosen and not _is_draining(view)]
    pools.drain(open_ones)
    return [view for view in pools.view() if view.node_id in chosen]


def _is_draining(view: View) -> bool:
    return view.stats is not None and view.stats.is_draining


def _is_meant(view: View, node: str) -> bool:
    is_prefix = len(node) >= SHORTEST_PREFIX and view.node_id.startswith(node)
    return not node or node == view.address or is_prefix


def _is_over(view: View, *, is_leaving: bool) -> bool:
    """Whether nothing of it would be cut; a pool that does not answer may have calls."""
    if view.stats is None or not view.stats.is_draining or (is_leaving and view.replicas):
        return False
    return not view.stats.leased and not view.stats.reserved


def _calls(views: Sequence[View]) -> int:
    return sum(view.stats.leased + view.stats.reserved for view in views if view.stats)


def _tell(terminal: Terminal, views: Sequence[View]) -> None:
    """The table of pools."""
    terminal.note(ROW.format("node", "address", "calls", "ringing", "idle", "slots", "replicas", "state"))
    for view in views:
        node = view.node_id[:NODE_LETTERS]
        terminal.note(ROW.format(node, view.address, *_numbers(view.stats), view.replicas, _state(view)))


def _numbers(stats: Stats | None) -> tuple[object, ...]:
    return ("?",) * 4 if stats is None else (stats.leased, stats.reserved, stats.idle, stats.slots)


def _state(view: View) -> str:
    if view.stats is None:
        return "does not answer"
    if not view.stats.is_draining:
        return "open"
    return "drained" if _is_over(view, is_leaving=False) else "draining"
