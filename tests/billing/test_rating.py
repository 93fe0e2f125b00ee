"""What usage costs."""

from hypothesis import given, strategies as st

from actors.billing.rating import Prices, rate
from models.call import CostBreakdown, Usage
from models.settings import Settings

PRICES = Prices.of(Settings(_env_file=None))
COUNTS = st.integers(min_value=0, max_value=10**9)


def test_nothing_costs_nothing() -> None:
    assert rate(Usage(), PRICES) == CostBreakdown()


def test_the_documents_example_call_is_priced_plausibly() -> None:
    cost = rate(Usage(stt_ms=220_000, llm_tokens=22_500, tts_chars=1200, telephony_ms=330_000), PRICES)
    assert cost == CostBreakdown(stt=22_000, llm=45_000, tts=18_000, telephony=30_030)
    assert cost.total == 115_030


def test_half_a_micro_goes_to_the_even_side() -> None:
    prices = Prices(stt_per_second=1, llm_per_1k_tokens=1, tts_per_1k_chars=1, telephony_per_second=1)
    assert [rate(Usage(stt_ms=ms), prices).stt for ms in (499, 500, 501, 1500, 2500)] == [0, 0, 1, 2, 2]


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_more_usage_never_costs_less(stt: int, llm: int, tts: int, telephony: int) -> None:
    less = rate(Usage(stt_ms=stt, llm_tokens=llm, tts_chars=tts, telephony_ms=telephony), PRICES)
    more = rate(Usage(stt_ms=stt + 1, llm_tokens=llm + 1, tts_chars=tts + 1, telephony_ms=telephony + 1), PRICES)
    assert less.total <= more.total
