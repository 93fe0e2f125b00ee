"""How often the recogniser is asked, by how busy it says it is. Pure: one table."""

from dataclasses import dataclass

FIRST_WORDS_S = 0.7
"""A first partial text before this is seldom right."""
CONTESTED_FIRST_S = 0.2
CONTESTED_EVERY_S = 0.13
"""While the agent speaks, words decide whether it falls silent: they are asked for with almost every packet."""


@dataclass(frozen=True, slots=True)
class Level:
    """What is asked for while the backlog is below `backlog_ms`; `words_every_s` None: no partial texts.

    `pause_windows` (32 ms each) of silence are a pause worth a recognition; `at_hush`: the first quiet is enough.
    """

    backlog_ms: float
    words_every_s: float | None
    pause_windows: int
    at_hush: bool
    speculates: bool = True


LEVELS = (
    Level(40, 0.5, 3, at_hush=True),
    Level(80, 0.5, 3, at_hush=False),
    Level(200, 1.0, 4, at_hush=False),
    Level(400, 2.0, 5, at_hush=False),
    Level(800, None, 5, at_hush=False),
    Level(float("inf"), None, 5, at_hush=False, speculates=False),
)


@dataclass(slots=True)
class Effort:
    """Follows the backlog the recogniser told last (ms until its finals and speculative finals are done)."""

    backlog_ms: float = 0.0

    @property
    def _level(self) -> Level:
        return next(level for level in LEVELS if self.backlog_ms < level.backlog_ms)

    @property
    def pause_windows(self) -> int:
        """How many quiet windows are a pause."""
        return self._level.pause_windows

    @property
    def asks_at_hush(self) -> bool:
        """Whether the first quiet is worth a recognition."""
        return self._level.at_hush

    @property
    def speculates(self) -> bool:
        """Whether a pause is."""
        return self._level.speculates

    def asks_for_words(self, speech_s: float, new_sound_s: float, is_contested: bool) -> bool:
        """Whether it is time for the words so far: `speech_s` of speech, `new_sound_s` of sound since the last time."""
        every_s = self._level.words_every_s
        if every_s is None:
            return False
        if is_contested:
            return speech_s >= CONTESTED_FIRST_S and new_sound_s >= CONTESTED_EVERY_S
        return speech_s >= FIRST_WORDS_S and new_sound_s >= every_s
