"""From windows of voice activity and recognised text to what the caller said. Pure.

While the caller speaks, words so far are asked for now and then (partial). When the line goes quiet, the text that will
be the final one if the caller stays silent (speculative); what it says decides how much silence ends the turn. One turn
may hold several utterances when the caller speaks longer than the recogniser takes at once.
"""

from dataclasses import replace

from actors.call_session.completeness import Completeness, completeness
from actors.call_session.heard import Began, Fact, Overheard, Said, SpeechResumed, Spoke, Unclear, Words
from actors.call_session.pauses import Pauses
from actors.call_session.protocol import (
    CloseUtterance,
    FrameHeard,
    OpenUtterance,
    TellPartial,
    Transcribe,
    Transcribed,
    TranscribeFailed,
)
from actors.call_session.recognition import Effort
from actors.call_session.turn import Phase, Signal, TurnTaking
from actors.call_session.utterance import ATTEMPTS, Utterance
from models.conversation import TurnTaking as Rules
from providers.roles import SHED, SttKind

Output = Fact | OpenUtterance | CloseUtterance | Transcribe | TellPartial


class Hearing:
    """Listens to one caller. `question` is what the agent said last; `is_contested`: the agent speaks meanwhile."""

    def __init__(self, rules: Rules | None = None, language: str = "en") -> None:
        self.question = ""
        self.is_contested = False
        self.speech_end: float | None = None
        """When the caller was last known to speak; None: never."""
        self._rules = rules or Rules()
        self._language = language
        self._turn_taking = TurnTaking()
        self._turn_taking.end_s = self._rules.end_ms / 1000
        self._pauses = Pauses()
        self._effort = Effort()
        self._count = 0
        self._utterances: list[Utterance] = []
        self._before: Said | None = None
        self._rejections = 0
        self._revision = 0

    @property
    def is_expecting(self) -> bool:
        """Something was said that is not answered for yet."""
        return bool(self._utterances)

    @property
    def is_speaking(self) -> bool:
        """The caller speaks, or pauses for less than the end of a turn."""
        return self._turn_taking.phase is not Phase.QUIET

    @property
    def is_reopened(self) -> bool:
        """The turn was taken for finished once."""
        return self._before is not None

    @property
    def is_loud(self) -> bool:
        """The caller speaks at this moment."""
        return self._turn_taking.phase is Phase.SPEAKING

    @property
    def ended_at(self) -> float | None:
        """When a turn ended whose words are not known yet; None: none does."""
        return self._utterances[-1].ended_at if self._utterances else None

    # --- what comes in --------------------------------------------------------------------------------
    def window(self, event: FrameHeard, now: float, *, is_agent_audible: bool = False) -> list[Output]:
        """One more window of voice activity."""
        now -= event.age_s
        self._turn_taking.is_wary = is_agent_audible
        signals = self._turn_taking.hear(event.probability, event.hush_s)
        return [output for signal in signals for output in self._on_signal(signal, now)]

    def transcribed(self, event: Transcribed, now: float) -> list[Output]:
        """The recogniser answered: the final text, the text at a pause, or the words so far."""
        self._effort.backlog_ms = event.backlog_ms
        utterance = self._find(event.utterance)
        if utterance is None:
            return []
        had_text = utterance.text is not None
        rejections = utterance.rejections
        has_changed = utterance.answer(event, now)
        self._rejections += utterance.rejections - rejections
        outputs: list[Output] = [self._tell()] if has_changed else []
        if utterance.text is None:
            return [*outputs, *self._still_unknown(utterance, event)]
        if had_text:
            return outputs
        return [*outputs, *(self._conclude(now) or self._overhear(now))]

    def failed(self, event: TranscribeFailed, now: float) -> list[Output]:
        """The recogniser failed. Before the end that was a guess lost; after it, once more, then give up."""
        utterance = self._find(event.utterance)
        if utterance is None or event.revision < utterance.fresh_from or utterance.text is not None:
            return []
        utterance.was_asked = False
        if utterance.ended_at is None:
            return []
        utterance.failures += 1
        return self._conclude(now) if utterance.failures >= ATTEMPTS else [self._ask(utterance, SttKind.FINAL)]

    def last_words(self, now: float) -> list[Output]:
        """The line is dead: settle what was still being said, without waiting for silence."""
        outputs: list[Output] = []
        for utterance in self._utterances:
            if utterance.ended_at is None:
                outputs += self._end(utterance, now, silence_s=0.0)
        return outputs

    def give_up(self, now: float) -> list[Output]:
        """Nobody waits any longer: the turn, with the words that are known of it."""
        if not self._utterances:
            return []
        for utterance in self._utterances:
            utterance.text = utterance.best_text
            utterance.ended_at = utterance.ended_at or now
        return self._conclude(now)

    def reopen(self, said: Said, now: float) -> None:
        """The turn that was taken for finished goes on: what comes belongs to it."""
        self._before = said
        self._revision = said.revision
        self._pauses.add(now - said.speech_end)

    # --- endpointing ----------------------------------------------------------------------------------
    def _on_signal(self, signal: Signal, now: float) -> list[Output]:
        if signal is Signal.STARTED or not self._utterances:
            return [] if signal is Signal.ENDED else [Began(), self._open(now)]
        current = self._utterances[-1]
        if self._turn_taking.phase is Phase.SPEAKING:
            self.speech_end = now
        match signal:
            case Signal.SPOKEN:
                return [Spoke(self._turn_taking.speech_s), *self._while_speaking(current)]
            case Signal.HUSHED:
                return self._speculate(current) if self._effort.asks_at_hush else []
            case Signal.PAUSED:
                self._turn_taking.end_s = self._end_s(Completeness.UNSURE)
                return [*self._speculate(current), *self._expect_end(now)]
            case Signal.RESUMED:
                self._pauses.add(self._turn_taking.pause_s)
                current.grow()
                return [SpeechResumed()]
            case Signal.ENDED:
                return self._end(current, now, silence_s=self._turn_taking.silence_s)
            case Signal.OVERLONG:
                return [*self._end(current, now, silence_s=0.0), self._open(now)]

    def _while_speaking(self, utterance: Utterance) -> list[Output]:
        """Speech goes on: an answer asked for before is out of date; perhaps time for the words so far."""
        turn = self._turn_taking
        if not turn.is_hushed and (utterance.text is not None or utterance.was_asked):
            utterance.grow()
        if not self._effort.asks_for_words(turn.speech_s, turn.sound_s - utterance.asked_sound_s, self.is_contested):
            return []
        return [self._ask(utterance, SttKind.PARTIAL)]

    def _speculate(self, utterance: Utterance) -> list[Output]:
        if not (self._rules.speculation and self._effort.speculates):
            return []
        if self._turn_taking.phase is Phase.PAUSED:
            utterance.grow()  # asked at the first hush already; that answer may lack the end of the last word
        return [self._ask(utterance, SttKind.SPEC)]

    def _open(self, now: float) -> OpenUtterance:
        self._count += 1
        self._utterances.append(Utterance(self._count, began_at=now - self._turn_taking.sound_s))
        self._turn_taking.pause_windows = self._effort.pause_windows
        return OpenUtterance(self._count)

    def _end(self, utterance: Utterance, now: float, *, silence_s: float) -> list[Output]:
        utterance.ended_at = self.speech_end = now - silence_s
        outputs: list[Output] = []
        if utterance.text is None:
            outputs.append(utterance.hurry() if utterance.was_asked else self._ask(utterance, SttKind.FINAL))
        return [*outputs, CloseUtterance(utterance.number), *self._conclude(now)]

    def _still_unknown(self, utterance: Utterance, event: Transcribed) -> list[Output]:
        """No final text yet: ask again if nobody else will, or tell what the words so far are."""
        if utterance.ended_at is not None:
            return [] if utterance.was_asked else [self._ask(utterance, SttKind.FINAL)]
        return [] if event.rejected == SHED else [Words(self._text())]

    # --- words ----------------------------------------------------------------------------------------
    def _ask(self, utterance: Utterance, kind: SttKind) -> Transcribe:
        return utterance.ask(kind, self._turn_taking.speech_s, self._turn_taking.sound_s)

    def _find(self, number: int) -> Utterance | None:
        return next((utterance for utterance in self._utterances if utterance.number == number), None)

    def _text(self) -> str:
        before = [self._before.text] if self._before is not None else []
        return " ".join(filter(None, [*before, *(utterance.best_text for utterance in self._utterances)]))

    def _tell(self) -> TellPartial:
        self._revision += 1
        return TellPartial(self._text(), self._revision)

    def _reads(self, text: str) -> Completeness:
        return completeness(text, question=self.question, language=self._language)

    def _overhear(self, now: float) -> list[Output]:
        """The text at a pause: it decides how long to wait for the end."""
        if not all(utterance.text is not None for utterance in self._utterances):
            return []
        text = self._text()
        is_pause = self._turn_taking.phase is not Phase.SPEAKING
        is_complete = self._reads(text) is Completeness.COMPLETE
        return [Overheard(text, is_pause, is_complete), *self._expect_end(now)]

    def _expect_end(self, now: float) -> list[Output]:
        """In a pause with known text: set the silence that ends the turn, and end it if there was enough of it."""
        if self._turn_taking.phase is not Phase.PAUSED or self._utterances[-1].text is None:
            return []
        self._turn_taking.end_s = self._end_s(self._reads(self._text()))
        return [output for signal in self._turn_taking.settle() for output in self._on_signal(signal, now)]

    def _end_s(self, reading: Completeness) -> float:
        rules = self._rules
        ms = {
            Completeness.COMPLETE: rules.end_complete_ms,
            Completeness.UNSURE: rules.end_ms,
            Completeness.INCOMPLETE: rules.end_incomplete_ms,
        }[reading]
        return self._pauses.stretched(ms / 1000) if rules.learns_pauses else ms / 1000

    # --- the finished turn ----------------------------------------------------------------------------
    def _conclude(self, now: float) -> list[Output]:
        """The turn, once every utterance of it is over and recognised or given up."""
        if not self._utterances or (speech_end := self._utterances[-1].ended_at) is None:
            return []
        if not all(utterance.is_settled for utterance in self._utterances):
            return []
        said = self._said(speech_end, now)
        has_failed = any(utterance.text is None for utterance in self._utterances)
        before, self._before = self._before, None
        self._utterances.clear()
        if " " in said.text:  # a single word has no room for a pause
            self._pauses.turn_over()
        if not said.text and has_failed:
            return [Unclear(speech_end)]
        if before is not None and said.text == before.text:
            said = replace(said, speech_end=before.speech_end)
        self._revision = self._rejections = 0
        return [said]

    def _said(self, speech_end: float, now: float) -> Said:
        last = self._utterances[-1]
        known_at = max(utterance.text_at for utterance in self._utterances)
        return Said(
            self._text(),
            speech_end,
            final_at=now,
            speech_s=sum(utterance.speech_s for utterance in self._utterances),
            speech_start=self._utterances[0].began_at if self._before is None else self._before.speech_start,
            speculative_at=known_at if 0 < known_at < now else None,
            queue_ms=last.queue_ms if last.text is not None else None,
            decode_ms=last.decode_ms if last.text is not None else None,
            rejections=self._rejections,
            revision=self._revision + 1,
        )
