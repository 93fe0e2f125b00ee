"""What the cost table learns and guesses; how loaded a worker is."""

import pytest
from hypothesis import given, strategies as st

from actors.speech_to_text.costs import ALPHA, UNKNOWN_MS, CostTable
from actors.speech_to_text.load import FINALS_KEPT_S, Load
from tests.speech_to_text.jobs import BUCKETS


class TestCosts:
    def test_nothing_known_is_a_guess(self) -> None:
        assert CostTable().predict(400, 3) == 3 * UNKNOWN_MS

    def test_the_first_measurement_counts_whole_and_later_ones_in_part(self) -> None:
        table = CostTable()
        table.learn(400, 2, 40.0, 60.0)
        assert table.predict(400, 2) == 100.0
        table.learn(400, 2, 140.0, 60.0)
        assert table.predict(400, 2) == pytest.approx(100.0 + ALPHA * 100.0)
        (cost,) = table.rows()
        assert cost.encode_ms == pytest.approx(60.0)
        assert (cost.decode_ms, cost.seen) == (60.0, 2)

    def test_an_unknown_batch_is_scaled_from_the_nearest_known_one(self) -> None:
        table = CostTable()
        table.learn(400, 1, 20.0, 60.0)
        table.learn(2000, 1, 200.0, 100.0)
        assert table.predict(400, 2) == pytest.approx(2 * 20 + 60 * 1.15)
        assert table.predict(2000, 8) == pytest.approx(8 * 200 + 100 * 2.05)

    def test_what_was_learnt_replaces_the_guess(self) -> None:
        table = CostTable()
        table.learn(400, 1, 20.0, 60.0)
        assert table.predict(400, 4) > 150
        table.learn(400, 4, 25.0, 70.0)
        assert table.predict(400, 4) == 95.0

    def test_second_opinions_have_costs_of_their_own(self) -> None:
        table = CostTable()
        table.learn(3000, 1, 100.0, 100.0)
        assert table.predict(3000, 1, is_thorough=True) == pytest.approx(235.0)
        table.learn(3000, 1, 100.0, 400.0, is_thorough=True)
        assert (table.predict(3000, 1), table.predict(3000, 1, is_thorough=True)) == (200.0, 500.0)

    @given(st.sampled_from(BUCKETS), st.integers(1, 8), st.sampled_from(BUCKETS), st.integers(1, 7))
    def test_guesses_grow_with_the_batch_and_the_window(self, near: int, size: int, frames: int, batch: int) -> None:
        table = CostTable()
        table.learn(near, size, 30.0, 50.0)
        assert table.predict(frames, batch) < table.predict(frames, batch + 1)
        if frames < BUCKETS[-1]:
            assert table.predict(frames, batch) < table.predict(BUCKETS[-1], batch)


class TestLoad:
    def test_a_steady_demand_settles_at_its_share(self) -> None:
        load = Load(slots=2)
        for tenth in range(600):
            load.ask(120.0, tenth / 10)  # 1.2 s of work a second for two slots
        assert load.utilisation(60.0) == pytest.approx(0.6, abs=0.02)
        assert load.is_admitting(60.0)

    def test_it_is_forgotten_when_nobody_asks(self) -> None:
        load = Load(slots=1)
        load.ask(9_000.0, 0.0)
        assert load.utilisation(0.0) == pytest.approx(0.9)
        assert not load.is_admitting(0.0)
        assert load.is_admitting(3.0)
        assert load.utilisation(60.0) < 0.01

    def test_finals_that_wait_close_the_door_until_they_are_old(self) -> None:
        load = Load(slots=1)
        for number in range(20):
            load.served_final(500.0 if number >= 18 else 10.0, 0.0)
        assert load.final_queue_p95_ms(1.0) == 500.0
        assert not load.is_admitting(1.0)
        assert load.final_queue_p95_ms(FINALS_KEPT_S + 1) == 0.0
        assert load.is_admitting(FINALS_KEPT_S + 1)

    def test_one_slow_final_of_many_does_not(self) -> None:
        load = Load(slots=1)
        for number in range(20):
            load.served_final(500.0 if number == 7 else 10.0, 0.0)
        assert load.is_admitting(1.0)
