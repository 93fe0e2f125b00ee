"""`callboard drain`: whom it means, what it prints, when it is over. Time passes in pauses only."""

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from cli.drain import CALLS_LEFT, DONE, REFUSED, drain, drained
from cli.terminal import Terminal
from models.settings import Settings


@dataclass(frozen=True)
class Stats:
    """Satisfies `drain.Stats`."""

    leased: int = 0
    reserved: int = 0
    idle: int = 2
    slots: int = 8
    is_draining: bool = False


@dataclass(frozen=True)
class View:
    """Satisfies `drain.View`."""

    node_id: str
    address: str
    stats: Stats | None = Stats()
    replicas: int = 0


@dataclass
class Pools:
    """Satisfies `drain.Pools`; `later` says what happens in each pause."""

    views: dict[str, View]
    later: Callable[["Pools", float], None] = lambda pools, now: None
    now: float = 0.0
    left: list[str] = field(default_factory=list)

    def view(self) -> Sequence[View]:
        return list(self.views.values())

    def drain(self, node_ids: Iterable[str]) -> None:
        for node_id in node_ids:
            view = self.views[node_id]
            if view.stats is not None:
                self.views[node_id] = replace(view, stats=replace(view.stats, is_draining=True, idle=0))

    def leave(self, node_id: str, within_s: float) -> None:
        self.left.append(node_id)

    def pause(self, seconds: float) -> None:
        self.now += seconds
        self.later(self, self.now)

    def has(self, node_id: str, stats: Stats | None, *, replicas: int = 0) -> None:
        """Something changes on a node."""
        self.views[node_id] = replace(self.views[node_id], stats=stats, replicas=replicas)


def a_cluster(a: Stats | None = Stats(), b: Stats | None = Stats()) -> Pools:
    return Pools({"aaaa1111": View("aaaa1111", "10.0.0.1", a), "bbbb2222": View("bbbb2222", "10.0.0.2", b)})


def run(pools: Pools, node: str = "", *, wait_s: float = 60.0, is_leaving: bool = False) -> tuple[int, str]:
    output = io.StringIO()
    status = drained(
        pools,
        Terminal(output),
        node=node,
        wait_s=wait_s,
        is_leaving=is_leaving,
        clock=lambda: pools.now,
        pause=pools.pause,
    )
    return status, output.getvalue()


def draining(pools: Pools) -> list[str]:
    return [view.node_id for view in pools.views.values() if view.stats and view.stats.is_draining]


def test_without_calls_it_is_over_at_once() -> None:
    pools = a_cluster()
    status, printed = run(pools)
    assert status == DONE
    assert printed.endswith("No call is left.\n")
    assert draining(pools) == ["aaaa1111", "bbbb2222"]


@pytest.mark.parametrize("node", ["bbbb", "bbbb2222", "10.0.0.2"])
def test_one_node_is_meant_by_its_address_or_how_its_id_begins(node: str) -> None:
    pools = a_cluster(a=Stats(leased=3))
    assert run(pools, node)[0] == DONE
    assert draining(pools) == ["bbbb2222"]


@pytest.mark.parametrize("node", ["10.0.0.9", "bb", "10.0.0"])
def test_a_node_nobody_knows_drains_nothing_and_shows_which_there_are(node: str) -> None:
    pools = a_cluster()
    status, printed = run(pools, node)
    assert status == REFUSED
    assert draining(pools) == []
    assert "aaaa1111" in printed


def test_it_waits_for_the_last_call() -> None:
    pools = a_cluster(a=Stats(leased=1))
    pools.later = lambda it, now: it.has("aaaa1111", Stats(is_draining=True)) if now == 7.0 else None
    assert run(pools)[0] == DONE
    assert pools.now == 7.0


def test_a_phone_that_rings_counts_as_a_call() -> None:
    status, printed = run(a_cluster(a=Stats(reserved=1), b=Stats(leased=2)), wait_s=10.0)
    assert status == CALLS_LEFT
    assert printed.endswith("Time is up. Calls left: 3.\n")


def test_the_table_is_printed_every_few_seconds() -> None:
    _, printed = run(a_cluster(a=Stats(leased=1)), wait_s=11.0)
    assert printed.count("draining") == 3


def test_a_pool_that_does_not_answer_may_have_calls() -> None:
    status, printed = run(a_cluster(a=None), wait_s=3.0)
    assert status == CALLS_LEFT
    assert "does not answer" in printed


def test_a_pool_that_was_restarted_is_drained_again() -> None:
    pools = a_cluster(a=Stats(leased=1))

    def restarted(it: Pools, now: float) -> None:
        if now == 2.0:
            it.has("aaaa1111", Stats(is_draining=False))

    pools.later = restarted
    assert run(pools)[0] == DONE
    assert draining(pools) == ["aaaa1111", "bbbb2222"]


def test_a_node_that_leaves_is_done_when_its_replicas_are_gone_too() -> None:
    pools = a_cluster()
    pools.has("aaaa1111", Stats(), replicas=1)
    pools.later = lambda it, now: it.has("aaaa1111", Stats(is_draining=True)) if now == 4.0 else None
    assert run(pools, "aaaa", is_leaving=True)[0] == DONE
    assert (pools.left, pools.now) == (["aaaa1111"], 4.0)


def test_leaving_is_for_one_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert drain(Settings(_env_file=None), node=None, wait_s=None, is_leaving=True) == REFUSED
    assert "--node" in capsys.readouterr().out
