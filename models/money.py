"""Money is integer micro-credits: 1 credit = 1 USD = 1,000,000 micros. Floats exist only in what the API prints."""

from typing import NewType

Micros = NewType("Micros", int)

MICROS_PER_CREDIT = 1_000_000


def to_credits(micros: int) -> float:
    """Credits as the API shows them, exact to one micro (six decimals)."""
    return micros / MICROS_PER_CREDIT


def divide_half_even(numerator: int, denominator: int) -> Micros:
    """Integer division rounded to the nearest, ties to even, so that many small charges carry no bias."""
    quotient, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    if twice > denominator or (twice == denominator and quotient % 2 == 1):
        quotient += 1
    return Micros(quotient)
