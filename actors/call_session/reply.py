"""One reply of the agent, from the model's first token to the caller's ear. Pure.

A draft is a reply to what the caller seems to have said. Its text is collected, and its first clause may be voiced, but
nothing is played and no function is called until the caller's turn is known to be over and to be just that.
"""

from dataclasses import dataclass, field

from actors.call_session.clauses import ClauseCutter
from actors.call_session.heard import Said
from actors.call_session.protocol import StartReply, Synthesize
from actors.call_session.speech import Clause, Speech
from models.call import BargeIn, BargeInDecision, TurnTimings
from providers.roles import Message, ToolCall


@dataclass(slots=True)
class Moments:
    """When things happened in a turn, on the machine's clock; `timings` makes them milliseconds of the call."""

    speech_start: float | None = None
    speech_end: float | None = None
    speculative_text: float | None = None
    final_text: float | None = None
    thinking_start: float | None = None
    first_token: float | None = None
    first_clause: float | None = None
    voice_start: float | None = None
    first_audio: float | None = None
    playback_start: float | None = None
    playback_end: float | None = None
    stt_queue_ms: float | None = None
    stt_decode_ms: float | None = None
    gate_rejections: int = 0
    barge_ins: list[tuple[float, BargeInDecision, str]] = field(default_factory=list)

    @classmethod
    def heard(cls, said: Said) -> "Moments":
        """Those of a caller's turn."""
        return cls(
            speech_start=said.speech_start,
            speech_end=said.speech_end,
            speculative_text=said.speculative_at,
            final_text=said.final_at,
            stt_queue_ms=said.queue_ms,
            stt_decode_ms=said.decode_ms,
            gate_rejections=said.rejections,
        )

    def answer(self, said: Said) -> None:
        """The caller's turn this answers."""
        self.speech_end, self.speculative_text, self.final_text = said.speech_end, said.speculative_at, said.final_at
        self.stt_queue_ms, self.stt_decode_ms = said.queue_ms, said.decode_ms

    def timings(self, answered_at: float) -> TurnTimings:
        """As the call log keeps them."""

        def ms(moment: float | None) -> int | None:
            return None if moment is None else round((moment - answered_at) * 1000)

        def whole(value: float | None) -> int | None:
            return None if value is None else round(value)

        return TurnTimings(
            speech_start_ms=ms(self.speech_start),
            speech_end_ms=ms(self.speech_end),
            speculative_text_ms=ms(self.speculative_text),
            final_text_ms=ms(self.final_text),
            thinking_start_ms=ms(self.thinking_start),
            first_token_ms=ms(self.first_token),
            first_clause_ms=ms(self.first_clause),
            voice_start_ms=ms(self.voice_start),
            first_audio_ms=ms(self.first_audio),
            playback_start_ms=ms(self.playback_start),
            playback_end_ms=ms(self.playback_end),
            stt_queue_ms=whole(self.stt_queue_ms),
            stt_decode_ms=whole(self.stt_decode_ms),
            gate_rejections=self.gate_rejections,
            barge_ins=tuple(BargeIn(at_ms=ms(at) or 0, decision=what, reason=why) for at, what, why in self.barge_ins),
        )


@dataclass(slots=True)
class Reply:
    """The agent's side of one turn."""

    turn: int
    since: float
    """When it was begun."""
    answers: str = ""
    """The caller's text this replies to."""
    messages: tuple[Message, ...] = ()
    """What the model was asked with."""
    said: Said | None = None
    """The caller's turn, once it is over; saved with the first sound of the reply."""
    moments: Moments = field(default_factory=Moments)
    speech: Speech = field(default_factory=Speech)
    has_failed: bool = False
    """The model's stream broke; the apology is still owed."""
    is_generated: bool = False
    is_last: bool = False
    """The call ends when this has been said, for this reason (None: the one already known)."""
    end_reason: str | None = None
    transfer_to: str | None = None
    """Where the caller goes when this has been said."""
    is_voiced_early: bool = False
    """A draft whose first clause may be voiced."""
    exchange: list[Message] = field(default_factory=list)
    """Function calls of this turn and what they gave, as the model has to see them."""
    asked: list[ToolCall] = field(default_factory=list)
    """Functions the model wants called, not yet begun."""
    running: set[str] = field(default_factory=set)
    """Function calls under way, by id."""
    _cutter: ClauseCutter = field(default_factory=ClauseCutter)
    _round_text: str = ""

    def add_text(self, piece: str, now: float) -> None:
        """More of the model's stream."""
        if self.moments.first_token is None and piece:
            self.moments.first_token = now
        self._round_text += piece
        for text in self._cutter.feed(piece):
            self._add(text, now)

    def end_text(self, now: float) -> None:
        """The stream is over."""
        for text in self._cutter.flush():
            self._add(text, now)
        self.is_generated = True

    def add_audio(self, clause_id: int, pcm: bytes, now: float) -> None:
        """More speech; of a clause that was dropped, none."""
        clause = self.speech.find(clause_id)
        if clause is None:
            return
        if not (clause.pcm or clause.is_filler):
            self.speech.drop_idle_fillers()
            self.moments.first_audio = self.moments.first_audio or now
        clause.pcm += pcm

    def end_audio(self, clause_id: int) -> None:
        """A clause has all its speech."""
        if clause := self.speech.find(clause_id):
            clause.is_done = True

    def add_sentence(self, sentence: str) -> Clause:
        """Say this as well, as it stands."""
        return self.speech.add(sentence)

    def next_round(self) -> str:
        """The model is asked again with what its functions gave; returns what it wrote before that."""
        text, self._round_text = self._round_text, ""
        self.is_generated = False
        return text

    def again(self) -> StartReply:
        """Ask the model to go on with what its functions gave."""
        return StartReply(self.turn, (*self.messages, *self.exchange))

    @property
    def is_only_filling(self) -> bool:
        """It bridges the wait for words that are not recognised yet."""
        return not (self.answers or self.is_generated)

    @property
    def is_waiting_for_tools(self) -> bool:
        """A function was asked for and has not answered."""
        return bool(self.asked or self.running)

    def orders(self, now: float, *, at_most: int | None = None) -> list[Synthesize]:
        """What the voice has not been asked for yet, of the first `at_most` clauses; closes the speech at its end."""
        orders = []
        for clause in self.speech.clauses[:at_most]:
            if not clause.is_ordered:
                if self.moments.voice_start is None and not clause.is_filler:
                    self.moments.voice_start = now
                clause.is_ordered = True
                orders.append(Synthesize(self.turn, clause.id, clause.text))
        self.speech.is_complete = self.is_generated and not self.is_waiting_for_tools
        return orders

    def _add(self, text: str, now: float) -> None:
        if self.moments.first_clause is None:
            self.moments.first_clause = now
        self.speech.add(text)
