"""When a live call must have more set aside, and how much. Pure; time is seconds of a monotonic clock."""

from dataclasses import dataclass
from typing import Self

EVERY_S = 30.0
"""A hold covers the next 60 seconds, so what is left when it is renewed pays for a closing sentence."""


@dataclass(slots=True)
class Holding:
    """What one call has set aside. `step`: the price of a busy minute, see `rating.hold_step`."""

    step: int
    held: int
    renewed_at: float
    cost_then: int = 0
    """What the call had cost when it was last renewed."""

    @classmethod
    def of_call(cls, step: int, cost: int, now: float) -> Self:
        """That of a call which has cost so much before it came here; 0: it is new, and was begun with one step.

        What another actor had set aside for it is known to the ledger alone. It was renewed whenever less than half a
        step was left, so at least that is there, and the ledger is asked for more at the first occasion.
        """
        return cls(step, held=max(step, cost + step // 2), renewed_at=now, cost_then=cost)

    def target(self, cost: int, now: float) -> int | None:
        """The total to set aside now; None: enough is.

        Due every 30 seconds, and before that when less than half a step is left. A call that spends faster than a busy
        minute is measured by its own pace.
        """
        if now - self.renewed_at < EVERY_S and self.held - cost > self.step // 2:
            return None
        return cost + max(self.step, 2 * (cost - self.cost_then))

    def renewed(self, total: int, cost: int, now: float) -> None:
        """The account covers `total`."""
        self.held = max(self.held, total)
        self.renewed_at = now
        self.cost_then = cost

    def is_spent(self, cost: int) -> bool:
        """Whether the call has cost more than was ever set aside for it."""
        return cost > self.held
