"""What a call's usage costs, and what is set aside for it. Pure; the final log is rated as the live call was."""

from dataclasses import dataclass
from typing import Self

from models.call import CostBreakdown, Usage
from models.money import Micros, divide_half_even
from models.settings import Settings

BUSY_MINUTE = Usage(stt_ms=60_000, llm_tokens=10_000, tts_chars=900, telephony_ms=60_000)
"""A minute in which both sides talk without a pause: 900 characters are what a voice says in it, 10,000 tokens six
exchanges over a prompt of full length. Most minutes use a third of it."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Micro-credits per unit."""

    stt_per_second: int
    llm_per_1k_tokens: int
    tts_per_1k_chars: int
    telephony_per_second: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The price list of the settings."""
        return cls(
            stt_per_second=settings.price_stt_per_second,
            llm_per_1k_tokens=settings.price_llm_per_1k_tokens,
            tts_per_1k_chars=settings.price_tts_per_1k_chars,
            telephony_per_second=settings.price_telephony_per_second,
        )


def rate(usage: Usage, prices: Prices) -> CostBreakdown:
    """The cost of everything used so far; each part is rounded once, half to even, and the total is their sum."""
    return CostBreakdown(
        stt=divide_half_even(usage.stt_ms * prices.stt_per_second, 1000),
        llm=divide_half_even(usage.llm_tokens * prices.llm_per_1k_tokens, 1000),
        tts=divide_half_even(usage.tts_chars * prices.tts_per_1k_chars, 1000),
        telephony=divide_half_even(usage.telephony_ms * prices.telephony_per_second, 1000),
    )


def hold_step(prices: Prices) -> Micros:
    """What is set aside for the next 60 seconds of a call."""
    return Micros(rate(BUSY_MINUTE, prices).total)
