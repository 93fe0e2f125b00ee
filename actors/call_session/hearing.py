"""From windows of voice activity and recognised text to what the caller said. Pure.

An utterance is recognised at its first pause already; if the caller stays silent that text is the final one, if
speech resumes the revision moves on and the late answer is nobody's. One turn may hold several utterances when
the caller speaks longer than the recogniser takes at once.
"""

from dataclasses import dataclass

from actors.call_session.protocol import CloseUtterance, OpenUtterance, Transcribe, Transcribed, TranscribeFailed
from actors.call_session.turn import Signal, TurnTaking

ATTEMPTS = 2
"""How often one utterance is sent to the recogniser before the caller is asked to repeat."""


@dataclass(frozen=True, slots=True)
class SpeechSustained:
    """The caller is speaking, not coughing: an agent that speaks should fall silent."""


@dataclass(frozen=True, slots=True)
class Overheard:
    """What the caller has said if this pause is the end."""

    text: str


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """It was not the end."""


@dataclass(frozen=True, slots=True)
class Said:
    """The caller's finished turn; empty text: it was no speech. Times are the machine's clock."""

    text: str
    speech_end: float
    final_at: float
    speech_s: float


@dataclass(frozen=True, slots=True)
class Unclear:
    """The caller said something and recognition failed."""

    speech_end: float


Fact = SpeechSustained | Overheard | SpeechResumed | Said | Unclear
Output = Fact | OpenUtterance | CloseUtterance | Transcribe


@dataclass(slots=True)
class Utterance:
    """One stretch of audio. `text` None: not known yet; `failures` counts recogniser faults."""

    number: int
    revision: int = 0
    text: str | None = None
    text_at: float = 0.0
    failures: int = 0
    ended_at: float | None = None
    speech_s: float = 0.0


class Hearing:
    """Listens to one caller."""

    def __init__(self, turn_taking: TurnTaking | None = None) -> None:
        self._turn_taking = turn_taking or TurnTaking()
        self._count = 0
        self._utterances: list[Utterance] = []

    @property
    def is_expecting(self) -> bool:
        """Something was said that is not answered for yet."""
        return bool(self._utterances)

    def window(self, probability: float, now: float) -> list[Output]:
        """One more window of voice activity."""
        return [output for signal in self._turn_taking.hear(probability) for output in self._on_signal(signal, now)]

    def transcribed(self, event: Transcribed, now: float) -> list[Output]:
        """The recogniser answered; an answer to an older revision is dropped here."""
        utterance = self._find(event.utterance, event.revision)
        if utterance is None:
            return []
        utterance.text, utterance.text_at = event.text, now
        return self._conclude() or self._overhear()

    def failed(self, event: TranscribeFailed) -> list[Output]:
        """The recogniser failed: once more when the utterance is over, then give up."""
        utterance = self._find(event.utterance, event.revision)
        if utterance is None:
            return []
        utterance.failures += 1
        if utterance.ended_at is None:
            return []
        if utterance.failures < ATTEMPTS:
            return [self._transcribe(utterance)]
        return self._conclude()

    def last_words(self, now: float) -> list[Output]:
        """The line is dead: settle what was still being said, without waiting for silence."""
        outputs: list[Output] = []
        for utterance in self._utterances:
            if utterance.ended_at is None:
                outputs += self._end(utterance, now, silence_s=0.0)
        return outputs

    def forget(self) -> None:
        """Let go of whatever has not been answered for."""
        self._utterances.clear()

    def _on_signal(self, signal: Signal, now: float) -> list[Output]:
        if signal is Signal.STARTED or not self._utterances:
            # After `forget` in the middle of speech the next signal finds nothing open: it starts an utterance too.
            return [] if signal is Signal.ENDED else [self._open()]
        current = self._utterances[-1]
        match signal:
            case Signal.SUSTAINED:
                return [SpeechSustained()]
            case Signal.PAUSED:
                return [self._transcribe(current)]
            case Signal.RESUMED:
                current.revision += 1
                current.text = None
                return [SpeechResumed()]
            case Signal.ENDED:
                return self._end(current, now, silence_s=self._turn_taking.silence_s)
            case Signal.OVERLONG:
                return [*self._end(current, now, silence_s=0.0), self._open()]

    def _open(self) -> OpenUtterance:
        self._count += 1
        self._utterances.append(Utterance(self._count))
        return OpenUtterance(self._count)

    def _end(self, utterance: Utterance, now: float, *, silence_s: float) -> list[Output]:
        utterance.ended_at = now - silence_s
        outputs: list[Output] = [CloseUtterance(utterance.number)]
        asked_at_pause = silence_s > 0 and utterance.failures == 0
        if utterance.text is None and not asked_at_pause:
            outputs = [self._transcribe(utterance), *outputs]
        return [*outputs, *self._conclude()]

    def _transcribe(self, utterance: Utterance) -> Transcribe:
        utterance.revision += 1
        utterance.speech_s = self._turn_taking.speech_s or utterance.speech_s
        return Transcribe(utterance.number, utterance.revision, utterance.speech_s)

    def _find(self, number: int, revision: int) -> Utterance | None:
        for utterance in self._utterances:
            if utterance.number == number and utterance.revision == revision:
                return utterance
        return None

    def _text(self) -> str:
        return " ".join(filter(None, (utterance.text for utterance in self._utterances)))

    def _overhear(self) -> list[Output]:
        known = all(utterance.text is not None for utterance in self._utterances)
        return [Overheard(text)] if known and (text := self._text()) else []

    def _conclude(self) -> list[Output]:
        """The turn, once every utterance of it is over and recognised or given up."""
        if not self._utterances or (speech_end := self._utterances[-1].ended_at) is None:
            return []
        settled = all(u.text is not None or u.failures >= ATTEMPTS for u in self._utterances)
        if not settled:
            return []
        text = self._text()
        speech_s = sum(u.speech_s for u in self._utterances)
        has_failed = any(u.text is None for u in self._utterances)
        final_at = max(u.text_at for u in self._utterances)
        self._utterances.clear()
        if not text and has_failed:
            return [Unclear(speech_end)]
        return [Said(text, speech_end, max(final_at, speech_end), speech_s)]
