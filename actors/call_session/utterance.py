"""One stretch of caller audio and what is known of its words. Pure."""

from dataclasses import dataclass, field

from actors.call_session.agreement import Agreement
from actors.call_session.protocol import Transcribe, Transcribed
from providers.roles import SHED, SttKind

ATTEMPTS = 2
"""How often a finished utterance is sent to the recogniser before the caller is asked to repeat."""


@dataclass(slots=True)
class Utterance:
    """Recognised again and again as it grows: answers from `fresh_from` on know all of its speech.

    `text` None: not known yet. `was_asked`: an answer that would be fresh is on its way. Times are the machine's.
    """

    number: int
    revision: int = 0
    fresh_from: int = 1
    was_asked: bool = False
    text: str | None = None
    text_at: float = 0.0
    began_at: float = 0.0
    ended_at: float | None = None
    failures: int = 0
    speech_s: float = 0.0
    asked_sound_s: float = 0.0
    """How much sound there was when it was last asked about."""
    queue_ms: float = 0.0
    decode_ms: float = 0.0
    rejections: int = 0
    words: Agreement = field(default_factory=Agreement)
    words_revision: int = 0
    """The newest answer that `words` knows."""

    @property
    def is_settled(self) -> bool:
        """Its text is known, or given up."""
        return self.text is not None or self.failures >= ATTEMPTS

    @property
    def best_text(self) -> str:
        """The text, or the words so far."""
        return self.text if self.text is not None else self.words.text

    def ask(self, kind: SttKind, speech_s: float, sound_s: float) -> Transcribe:
        """A new recognition of all there is; partial ones are never fresh: speech goes on."""
        self.revision += 1
        self.was_asked = kind is not SttKind.PARTIAL
        if kind is SttKind.PARTIAL:
            self.fresh_from = self.revision + 1
        self.speech_s = speech_s or self.speech_s
        self.asked_sound_s = sound_s
        return Transcribe(self.number, self.revision, kind, self.speech_s)

    def hurry(self) -> Transcribe:
        """The recognition under way is the final one now: it goes before all others."""
        return Transcribe(self.number, self.revision, SttKind.FINAL, self.speech_s)

    def grow(self) -> None:
        """There is more speech than was asked about."""
        self.fresh_from = self.revision + 1
        self.was_asked = False
        self.text = None

    def answer(self, event: Transcribed, now: float) -> bool:
        """Take an answer; whether the words known so far changed. One that was shed only frees the way for another."""
        is_fresh = event.revision >= self.fresh_from
        if event.rejected == SHED:
            self.was_asked = self.was_asked and not is_fresh
            return False
        self.rejections += event.rejected is not None
        if is_fresh and self.text is None:
            self.text, self.text_at, self.was_asked = event.text, now, False
            self.queue_ms, self.decode_ms = event.queue_ms, event.decode_ms
        if not event.text or event.revision < self.words_revision:
            return False
        self.words_revision = event.revision
        return self.words.add(event.text, self.asked_sound_s)
