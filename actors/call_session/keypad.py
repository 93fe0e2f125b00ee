"""Keys pressed on the caller's phone (DTMF), gathered into one answer. Pure."""

import math

PAUSE_S = 2.0
"""Nothing pressed for so long ends the number."""
MOST_KEYS = 32
KEYS = frozenset("0123456789*ABCD")
FINISH = "#"


class Keypad:
    """Keys until '#', a pause, or too many of them. '#' ends a number and is none of it; alone it is the answer."""

    def __init__(self) -> None:
        self._finished: list[tuple[str, float]] = []
        self._pending = ""
        self._last_key_at = -math.inf

    @property
    def pending(self) -> str:
        """What was pressed and is not finished."""
        return self._pending

    def press(self, digit: str, now: float) -> None:
        """One key: 0-9, *, # or A-D. Anything else is no key and ignored."""
        if digit == FINISH:
            self._finish(self._pending or FINISH, now)
        elif digit in KEYS:
            self._split_at_pause(now)
            self._pending += digit
            self._last_key_at = now
            if len(self._pending) == MOST_KEYS:
                self._finish(self._pending, now)

    def due(self, now: float) -> str | None:
        """The oldest finished number, once; None while there is none."""
        self._split_at_pause(now)
        return self._finished.pop(0)[0] if self._finished else None

    def deadline(self) -> float | None:
        """When `due` will have something if nothing more is pressed."""
        if self._finished:
            return self._finished[0][1]
        return self._last_key_at + PAUSE_S if self._pending else None

    def _split_at_pause(self, now: float) -> None:
        if self._pending and now >= self._last_key_at + PAUSE_S:
            self._finish(self._pending, self._last_key_at + PAUSE_S)

    def _finish(self, keys: str, at: float) -> None:
        self._finished.append((keys, at))
        self._pending = ""


def as_words(digits: str) -> str:
    """The caller's turn in the conversation: brackets and the word "keypad" tell the model that nobody said it,
    spaces keep each key a token of its own. "1234" is "[keypad: 1 2 3 4]".
    """
    return f"[keypad: {' '.join(digits)}]"
