"""Whether a contact is tried again after what its attempts came to, and how much later. Pure."""

from collections.abc import Sequence
from datetime import timedelta

from models.campaign import Outcome, Retries, Retry


def delay_after(retries: Retries, outcomes: Sequence[Outcome]) -> timedelta | None:
    """How long to wait after the last of these; None: the contact is done. Attempts never placed do not count."""
    placed = [each for each in outcomes if each is not Outcome.NOT_PLACED]
    rule = _rule(retries, placed[-1]) if placed else None
    if rule is None or len(placed) >= retries.max_attempts:
        return None
    alike = placed.count(placed[-1])
    if alike >= rule.max_attempts:
        return None
    return timedelta(seconds=min(rule.delay_s * rule.backoff ** (alike - 1), rule.max_delay_s))


def _rule(retries: Retries, outcome: Outcome) -> Retry | None:
    match outcome:
        case Outcome.BUSY:
            return retries.busy
        case Outcome.NO_ANSWER:
            return retries.no_answer
        case Outcome.FAILED:
            return retries.failed
        case Outcome.MACHINE:
            return retries.machine
        case _:
            return None
