"""The keeper's decisions: pools, admission, nodes."""

import pytest

from actors.cluster.policy import RETIRE_AFTER_S, UNHEARD_S, Admission, Load, Node, Nodes, Wanted, wanted

IDLE = Load(slots=8, leased=0, reserved=0, is_draining=False)
BUSY = Load(slots=8, leased=6, reserved=1, is_draining=False)
LEAVING = Load(slots=8, leased=2, reserved=0, is_draining=True)
EMPTIED = Load(slots=8, leased=0, reserved=0, is_draining=True)
FEW = Wanted(slots=4, nodes=1)
A, B = Node("a" * 56, 8), Node("b" * 56, 8)


def test_a_pool_goes_by_the_first_letters_of_its_node() -> None:
    assert A.key == "a" * 12


# --- pools -----------------------------------------------------------------------------------------------
def test_a_node_that_joins_gets_a_pool() -> None:
    assert Nodes().to_start([A, B], [A.key]) == [B]


def test_the_pool_of_a_dead_node_is_forgotten() -> None:
    assert Nodes().to_forget([A], [A.key, B.key]) == [B.key]


def test_a_drained_node_gets_no_pool_although_its_own_is_gone() -> None:
    nodes = Nodes()
    nodes.to_drain_again({A.key: EMPTIED})
    assert nodes.to_start([A, B], []) == [B]


def test_a_drained_pool_that_was_restarted_is_drained_again() -> None:
    nodes = Nodes()
    assert nodes.to_drain_again({A.key: LEAVING, B.key: BUSY}) == []
    assert nodes.to_drain_again({A.key: IDLE, B.key: BUSY}) == [A.key]


def test_a_node_that_comes_back_is_a_new_one() -> None:
    nodes = Nodes()
    nodes.to_drain_again({A.key: LEAVING})
    nodes.to_forget([B], [B.key])
    assert nodes.to_start([A, B], [B.key]) == [A]


def test_only_pools_that_drain_and_have_no_call_left_are_closed() -> None:
    ringing = Load(slots=8, leased=0, reserved=1, is_draining=True)
    assert Nodes().to_close({"a": IDLE, "b": BUSY, "c": LEAVING, "d": EMPTIED, "e": ringing}) == ["d"]


# --- how many nodes --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("loads", "slots", "nodes"),
    [
        ([], 4, 1),
        ([IDLE], 4, 1),
        ([BUSY], 11, 2),
        ([BUSY] * 4, 28 + 4 + 2, 5),
        ([BUSY, LEAVING], 11, 3),
        ([LEAVING], 4, 2),
        ([EMPTIED], 4, 2),
    ],
)
def test_nodes_are_asked_for_before_they_are_needed(loads: list[Load], slots: int, nodes: int) -> None:
    assert wanted(loads, idle_min=4, node_slots=8) == Wanted(slots, nodes)


def test_what_is_asked_for_falls_with_the_calls() -> None:
    at_peak = wanted([BUSY] * 10, idle_min=4, node_slots=8)
    afterwards = wanted([IDLE] * 10, idle_min=4, node_slots=8)
    assert (at_peak.nodes, afterwards.nodes) == (11, 1)


def test_a_node_retires_once_the_others_have_been_enough_for_long() -> None:
    nodes = Nodes()
    loads = {"a": IDLE, "b": Load(8, 1, 0, False)}
    assert nodes.to_retire(loads, FEW, 0.0) is None
    assert nodes.to_retire(loads, FEW, RETIRE_AFTER_S - 1) is None
    assert nodes.to_retire(loads, FEW, RETIRE_AFTER_S) == "a"


def test_a_busy_moment_starts_the_wait_anew() -> None:
    nodes = Nodes()
    loads = {"a": IDLE, "b": IDLE}
    nodes.to_retire(loads, FEW, 0.0)
    nodes.to_retire(loads, Wanted(9, 2), RETIRE_AFTER_S - 1)
    assert nodes.to_retire(loads, FEW, RETIRE_AFTER_S) is None
    assert nodes.to_retire(loads, FEW, 2 * RETIRE_AFTER_S) == "a"


def test_the_last_node_never_retires() -> None:
    nodes = Nodes()
    nodes.to_retire({"a": IDLE}, FEW, 0.0)
    assert nodes.to_retire({"a": IDLE}, FEW, 10 * RETIRE_AFTER_S) is None


def a_retiring_node() -> Nodes:
    nodes = Nodes()
    for now in (0.0, RETIRE_AFTER_S):
        nodes.to_retire({A.key: IDLE, B.key: IDLE}, FEW, now)
    return nodes


def test_one_node_retires_at_a_time() -> None:
    nodes = a_retiring_node()
    loads = {A.key: LEAVING, B.key: IDLE, "c": IDLE}
    nodes.to_retire(loads, FEW, 2 * RETIRE_AFTER_S)
    assert nodes.to_retire(loads, FEW, 4 * RETIRE_AFTER_S) is None


def test_a_retired_node_waits_without_a_pool_until_it_is_needed() -> None:
    nodes = a_retiring_node()
    assert nodes.to_start([A, B], [B.key]) == []
    assert nodes.to_bring_back({B.key: IDLE}, FEW) is None
    assert nodes.to_bring_back({B.key: BUSY}, Wanted(11, 2)) == A.key
    assert nodes.to_start([A, B], [B.key]) == [A]


def test_a_node_somebody_drained_is_not_brought_back() -> None:
    nodes = Nodes()
    nodes.to_drain_again({A.key: LEAVING, B.key: BUSY})
    assert nodes.to_bring_back({A.key: LEAVING, B.key: BUSY}, Wanted(20, 3)) is None


# --- admission -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "is_open"),
    [([True], True), ([False, True], True), ([None, True], True), ([False, False], False), ([], False)],
)
def test_one_worker_with_room_is_enough(answers: list[bool | None], is_open: bool) -> None:
    assert Admission().hear(answers, 0.0) is is_open


def test_late_workers_change_nothing_for_a_while() -> None:
    admission = Admission()
    admission.hear([True, True], 0.0)
    assert admission.hear([None, False], UNHEARD_S) is True
    assert admission.hear([None, False], UNHEARD_S + 0.1) is False
    assert admission.hear([None, False], UNHEARD_S + 0.2) is False
    assert admission.hear([True, False], UNHEARD_S + 0.3) is True


def test_pools_are_told_what_changed_and_new_ones_how_it_is() -> None:
    admission = Admission()
    assert admission.to_tell(["a"]) == ["a"]
    admission.told("a")
    assert admission.to_tell(["a", "b"]) == ["b"]
    admission.hear([False], 0.0)
    assert admission.to_tell(["a", "b"]) == ["a", "b"]


def test_a_refusal_is_told_every_time() -> None:
    admission = Admission()
    admission.hear([False], 0.0)
    admission.told("a")
    assert admission.to_tell(["a"]) == ["a"]
    admission.hear([True], 1.0)
    assert admission.to_tell(["a"]) == ["a"]
    admission.told("a")
    assert admission.to_tell(["a"]) == []
