"""One reply of the agent, from the model's first token to the caller's ear. Pure.

A draft is a reply to what the caller seems to have said: its text is collected, and nothing is voiced until the
caller's turn is known to be over and to be just that (`commit`).
"""

from dataclasses import dataclass, field

from actors.call_session.clauses import ClauseCutter
from actors.call_session.playout import Playout
from actors.call_session.protocol import Synthesize
from models.call import TurnTimings


@dataclass(slots=True)
class Moments:
    """When things happened in a turn, on the machine's clock; `timings` makes them milliseconds of the call."""

    speech_end: float | None = None
    final_text: float | None = None
    first_token: float | None = None
    first_audio: float | None = None
    playback_start: float | None = None

    def timings(self, answered_at: float) -> TurnTimings:
        """As the call log keeps them."""

        def ms(moment: float | None) -> int | None:
            return None if moment is None else round((moment - answered_at) * 1000)

        return TurnTimings(
            speech_end_ms=ms(self.speech_end),
            final_text_ms=ms(self.final_text),
            first_token_ms=ms(self.first_token),
            first_audio_ms=ms(self.first_audio),
            playback_start_ms=ms(self.playback_start),
        )


@dataclass(slots=True)
class Reply:
    """The agent's side of one turn."""

    turn: int
    answers: str = ""
    """The caller's text this replies to."""
    moments: Moments = field(default_factory=Moments)
    clauses: list[str] = field(default_factory=list)
    voiced: int = 0
    has_failed: bool = False
    """The model's stream broke; the apology is still owed."""
    is_generated: bool = False
    is_last: bool = False
    """The call ends when this has been said."""
    _cutter: ClauseCutter = field(default_factory=ClauseCutter)

    @property
    def text(self) -> str:
        """All of it, as far as it is known."""
        return " ".join(self.clauses)

    def add_text(self, piece: str, now: float) -> None:
        """More of the model's stream."""
        if self.moments.first_token is None and piece:
            self.moments.first_token = now
        self.clauses += self._cutter.feed(piece)

    def end_text(self) -> None:
        """The stream is over."""
        self.clauses += self._cutter.flush()
        self.is_generated = True

    def add_sentence(self, sentence: str) -> None:
        """Say this as well, as it stands."""
        self.clauses.append(sentence)

    def voice(self, playout: Playout) -> list[Synthesize]:
        """Order speech for the clauses that are not yet in the playout, and close it after the last."""
        orders = []
        for text in self.clauses[self.voiced :]:
            orders.append(Synthesize(self.turn, playout.add_clause(text), text))
        self.voiced = len(self.clauses)
        if self.is_generated:
            playout.complete()
        return orders
