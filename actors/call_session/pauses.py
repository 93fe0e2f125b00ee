"""How long this caller pauses within a sentence, learnt while the call goes on. Pure.

The silence to wait is `clamp(share * base + learnt, 0.8 base, 1.6 base)`. `share` starts at 1 and `learnt` at 0. With
the forgetting factor a = 0.8 (an EWMA with the base as its prior):

    after a pause of p seconds:       share <- a share                    learnt <- a learnt + (1 - a) 1.3 p
    after a turn without a pause:     share <- a share + (1 - a) 0.85     learnt <- a learnt

So nothing observed waits the base, pauses of one length p tend to 1.3 p, and turns without pauses to 0.85 base.
"""

FORGETTING = 0.8
MARGIN = 1.3
"""Waiting exactly the usual pause would cut off every second one."""
SHORTEST, LONGEST = 0.8, 1.6
"""Bounds of the wait, as shares of the base."""
FLUENT = 0.85
"""The share of the base that a caller without pauses tends to."""
LEAST_PAUSE_S = 0.2
"""Shorter silences are plosives and breaths, not hesitation (Goldman-Eisler 1968 puts the limit at 0.25 s)."""
MOST_PAUSE_S = 2.0
"""A longer pause says no more than this: the caller was away from the phone."""


class Pauses:
    """What is known of one caller's pauses."""

    def __init__(self) -> None:
        self._share = 1.0
        self._learnt_s = 0.0
        self._has_paused = False

    def add(self, pause_s: float) -> None:
        """A silence after which the caller went on with the same turn, also when the turn had been taken for over."""
        if pause_s < LEAST_PAUSE_S:
            return
        self._has_paused = True
        self._forget()
        self._learnt_s += (1 - FORGETTING) * MARGIN * min(pause_s, MOST_PAUSE_S)

    def turn_over(self) -> None:
        """The turn is over. One of a single word tells nothing of pauses: leave it out."""
        if not self._has_paused:
            self._forget()
            self._share += (1 - FORGETTING) * FLUENT
        self._has_paused = False

    def stretched(self, base_s: float) -> float:
        """The silence to wait in place of `base_s`."""
        wait_s = self._share * base_s + self._learnt_s
        return min(max(wait_s, SHORTEST * base_s), LONGEST * base_s)

    def _forget(self) -> None:
        self._share *= FORGETTING
        self._learnt_s *= FORGETTING
