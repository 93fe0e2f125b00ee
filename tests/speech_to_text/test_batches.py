"""Who is decoded together."""

import pytest

from actors.speech_to_text.batches import STRETCH, Former
from actors.speech_to_text.costs import CostTable
from actors.speech_to_text.jobs import Batch, Job, Limits
from providers.stt import window
from tests.speech_to_text.jobs import BUCKETS, FINAL, PARTIAL, SPEC, job


def former(*, encode_ms: float = 20.0, decode_ms: float = 60.0, max_batch: int = 8) -> Former:
    """One row costs 80 ms in the shortest window; a further one 29 ms."""
    costs = CostTable()
    costs.learn(400, 1, encode_ms, decode_ms)
    return Former(Limits(1, max_batch, 250.0, BUCKETS), costs)


def formed(by: Former, *order: Job, now: float = 0.0, free: int = 1) -> Batch:
    return by.form(order, now, free=free)


def test_jobs_of_one_window_go_together_within_the_time_cap() -> None:
    batch = formed(former(), *(job(FINAL) for _ in range(10)))
    assert len(batch.jobs) == 6  # 80 + 5 * 29 = 225 ms; one more would make it 254
    assert batch.predicted_ms == pytest.approx(225.0)


def test_there_is_a_largest_batch() -> None:
    assert len(formed(former(encode_ms=1.0, decode_ms=10.0), *(job(FINAL) for _ in range(20))).jobs) == 8


def test_a_long_queue_stretches_the_cap_so_that_it_drains_sooner() -> None:
    slow = former(encode_ms=60.0, decode_ms=120.0)  # a row takes 180 ms, a further one 78
    assert [len(formed(slow, *(job(FINAL) for _ in range(queue))).jobs) for queue in (1, 2, 3, 20)] == [1, 1, 3, 8]
    longest = formed(former(encode_ms=100.0, decode_ms=100.0), *(job(FINAL) for _ in range(20)))
    assert len(longest.jobs) == 7
    assert longest.predicted_ms <= STRETCH * 250


def test_a_machine_too_slow_for_the_cap_still_decodes_together() -> None:
    assert len(formed(former(encode_ms=200.0, decode_ms=400.0), *(job(FINAL) for _ in range(20))).jobs) == 7


def test_a_queue_of_partials_does_not() -> None:
    assert len(formed(former(encode_ms=60.0, decode_ms=120.0), *(job(PARTIAL) for _ in range(9))).jobs) == 1


def test_prompts_of_other_length_go_alone() -> None:
    jobs = [job(FINAL, prompt=2), job(FINAL, prompt=4), job(FINAL, prompt=2)]
    assert list(formed(former(), *jobs).jobs) == [jobs[0], jobs[2]]


def test_less_urgent_ones_come_along_while_the_final_is_still_on_time() -> None:
    jobs = [job(FINAL), job(SPEC), job(PARTIAL), job(PARTIAL), job(PARTIAL)]
    assert len(formed(former(), *jobs, now=0.0).jobs) == 5
    assert len(formed(former(), *jobs, now=0.1).jobs) == 3  # 138 of the 150 ms that are left
    assert len(formed(former(), *jobs, now=0.3).jobs) == 1


def test_other_finals_come_along_even_when_all_are_late() -> None:
    assert len(formed(former(), job(FINAL), job(FINAL), job(SPEC), now=3.0).jobs) == 2


def test_a_shorter_job_goes_into_a_longer_window_if_that_saves_its_launch() -> None:
    long, short = job(FINAL, frames=500), job(FINAL, frames=400)
    batch = formed(former(), long, short)
    assert (list(batch.jobs), batch.frames) == ([long, short], 500)


def test_not_where_the_longer_window_costs_more_than_the_launch() -> None:
    assert len(formed(former(), job(FINAL, frames=2000), job(FINAL, frames=400)).jobs) == 1


def test_not_when_there_are_enough_of_its_own_length() -> None:
    many = [job(FINAL, frames=400) for _ in range(8)]
    assert len(formed(former(), job(FINAL, frames=800), *many).jobs) == 1


def test_a_job_joins_the_longer_ones_behind_it() -> None:
    head, others = job(FINAL, frames=400), [job(FINAL, frames=500) for _ in range(3)]
    batch = formed(former(), head, *others)
    assert (batch.jobs[0], len(batch.jobs), batch.frames) == (head, 4, 500)


def test_free_slots_share_what_waits() -> None:
    jobs = [job(FINAL) for _ in range(5)]
    assert len(formed(former(), *jobs, free=2).jobs) == 3


def test_the_time_to_drain_counts_full_batches_and_the_rest() -> None:
    by = former()
    assert by.best_batch(400) == 6
    assert by.drain_ms([job(FINAL) for _ in range(6)]) == pytest.approx(225.0)
    assert by.drain_ms([job(FINAL) for _ in range(7)]) == pytest.approx(225.0 + 80.0)
    assert by.drain_ms([job(FINAL) for _ in range(24)]) == pytest.approx(3 * 283.0)  # a long queue
    assert by.drain_ms([job(PARTIAL) for _ in range(24)]) == 0.0
    assert by.drain_ms([]) == 0.0


@pytest.mark.parametrize(("device", "slots", "most", "cap_ms"), [("cpu", 3, 8, 250.0), ("cuda", 1, 16, 120.0)])
def test_the_layout_of_a_device(device: str, slots: int, most: int, cap_ms: float) -> None:
    limits = Limits.for_device(device, threads=3, buckets=window.BUCKETS)
    assert (limits.slots, limits.max_batch, limits.cap_ms) == (slots, most, cap_ms)
