"""The conversation itself: what the agent does about what the caller does, while the call is live. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from actors.call_session import prompt, protocol as p
from actors.call_session.floor import Floor, Move, Voice
from actors.call_session.heard import Began, Overheard, Said, SpeechResumed, Spoke, Unclear, Words
from actors.call_session.hearing import Hearing, Output
from actors.call_session.keypad import Keypad, as_words
from actors.call_session.patience import Patience
from actors.call_session.resuming import Resumption
from actors.call_session.speaking import Speaking
from models.agent import AgentConfig

ASK_AGAIN_SPEECH_S = 0.8
"""Speech this long without recognised words was meant for the agent: it asks, but not twice running, so that music
on the line does not become a conversation."""


class Exchange:
    """Hearing, speaking, and who has the floor."""

    def __init__(
        self, config: AgentConfig, *, metadata: Mapping[str, object], resumption: Resumption | None = None
    ) -> None:
        self.hearing = Hearing(config.turn_taking, config.language)
        self.speaking = Speaking(config, metadata=metadata, resumption=resumption)
        self._config = config
        self._interrupts = config.interruption.enabled
        phrases = config.interruption.backchannels
        self._floor = Floor(is_enabled=self._interrupts, phrases=phrases, language=config.language)
        self._patience = Patience(config.silence, config.turn_taking)
        self._keypad = Keypad()
        self._later: list[Said] = []
        """Turns to be answered when the agent has finished, or may speak."""
        self._has_asked_again = False
        self._opened_at = 0.0
        self._greeted_at = 0.0

    def open(self, now: float) -> None:
        """The line is up."""
        self._opened_at = now
        self.hearing.question = self.speaking.question

    def greet(self, greeting: str, now: float) -> list[p.Command]:
        """The agent's first words; without any it answers what was said meanwhile."""
        if not greeting or any(message.role == "assistant" for message in self.speaking.history):
            return []
        self._greeted_at = now
        return [*self.rest(now), *self.speaking.say(greeting, now)]

    @property
    def has_postponed(self) -> bool:
        """Something waits to be answered: until the agent may speak, or for the rest of the keys."""
        return bool(self._later or self._keypad.pending)

    def rest(self, now: float) -> list[p.Command]:
        """What the caller has said or typed and nobody will answer."""
        said, self._later = self._later, []
        if self._keypad.pending:
            said.append(Said(as_words(self._keypad.pending), speech_end=now, final_at=now))
            self._keypad = Keypad()
        return [command for each in said for command in self.speaking.keep_words(each)]

    def deadline(self, now: float) -> float | None:
        """When `on_time` or `play` will next have something to do by itself."""
        times = (
            self.speaking.deadline(now),
            None if self.hearing.is_speaking else self._keypad.deadline(),
            self._patience.late_at(self._owed_since(now)),
            self._patience.lonely_at(self._quiet_since()),
        )
        return min((time for time in times if time is not None), default=None)

    @property
    def needs_sound(self) -> bool:
        """Something the caller said or typed is not in the log, or not over: it could not be done without."""
        is_under_way = self.hearing.is_speaking or self.hearing.is_expecting
        return is_under_way or self.has_postponed or self.speaking.has_unsaved_words

    # --- the caller -----------------------------------------------------------------------------------
    def heard(self, outputs: Sequence[Output], now: float) -> list[p.Command]:
        """What was found out about the caller."""
        return [command for output in outputs for command in self._on_heard(output, now)]

    def only_keep(self, output: Output, *, is_answered: bool) -> list[p.Command]:
        """What is heard while nobody answers: before it is known to whom and what, and after the last sentence.

        `is_answered`: it will be, as soon as the agent may speak.
        """
        match output:
            case p.OpenUtterance() | p.CloseUtterance() | p.Transcribe() | p.TellPartial():
                return [output]
            case Said() if output.text and is_answered:
                self._later.append(output)
                return []
            case Said() if output.text:
                return self.speaking.keep_words(output)
            case Unclear():
                return [p.ReportError("STT_ERROR", "Speech recognition failed")]
            case _:
                return []

    def _on_heard(self, output: Output, now: float) -> list[p.Command]:
        match output:
            case p.OpenUtterance() | p.CloseUtterance() | p.Transcribe() | p.TellPartial():
                return [output]
            case Began():
                return self._begin(now)
            case Spoke():
                return self.speaking.move(self._floor.speech(output.speech_s), now)
            case Words():
                return self.speaking.move(self._floor.words(output.text), now)
            case Overheard():
                return self._overhear(output, now)
            case SpeechResumed():
                return [] if self.hearing.is_reopened else self.speaking.drop_draft()
            case Said():
                return self._on_said(output, now) if output.text else self._on_no_words(output, now)
            case Unclear():
                report = p.ReportError("STT_ERROR", "Speech recognition failed")
                return [report, *self._ask_again(output.speech_end, now, is_fault=True)]
            case _:
                assert_never(output)

    def _begin(self, now: float) -> list[p.Command]:
        """The caller begins to speak: into the agent's voice, or before its answer has begun."""
        self._patience.caller_began()
        said, commands = self.speaking.withdraw(now)
        self.hearing.question = self.speaking.question
        if said is not None:
            self.hearing.reopen(said, now)
        if not self.speaking.is_busy or self.speaking.is_filling or self._floor.is_contested:
            return commands
        self.hearing.is_contested = True
        moves = self._floor.begin(self.speaking.left_s(now), is_heard=self.speaking.is_audible(now))
        return [*commands, *self.speaking.move(moves, now)]

    def _overhear(self, overheard: Overheard, now: float) -> list[p.Command]:
        text = overheard.text
        moves = self._floor.pause(text) if overheard.is_pause else self._floor.words(text)
        commands = self.speaking.move(moves, now)
        is_meant = text and not (self._floor.is_contested and self._floor.is_only_listening(text))
        if not (is_meant and self._config.turn_taking.preemption and (overheard.is_pause or overheard.is_complete)):
            return commands
        return [*commands, *self.speaking.draft(text, now, is_voiced=overheard.is_pause)]

    def _on_said(self, said: Said, now: float) -> list[p.Command]:
        self._patience.caller_spoke()
        if said.speech_end < self._greeted_at:  # their "hello", before ours
            return self.speaking.keep_words(said)
        if self._floor.is_contested and self._floor.is_only_listening(said.text):
            moves = self._floor.give_back("backchannel")
            commands = [*self.speaking.drop_draft(), *self.speaking.move(moves, now)]
            self._end_contest()
            return [*commands, *self.speaking.keep_words(said)]
        self._has_asked_again = False
        self._end_contest()
        if not self._interrupts and self.speaking.is_busy and not self.speaking.is_filling:
            self._later.append(said)
            return self.speaking.drop_draft()
        return self.speaking.answer(said, now)

    def _on_no_words(self, said: Said, now: float) -> list[p.Command]:
        """Noise: go on with what was interrupted, or ask if it was long enough to have been words."""
        moves = self._floor.give_back("noise")
        commands = [*self.speaking.drop_draft(), *self.speaking.move(moves, now)]
        self._end_contest()
        is_busy = self.speaking.is_busy and not self.speaking.is_filling
        self.speaking.stop_filling()
        if is_busy or said.speech_s < ASK_AGAIN_SPEECH_S or self._has_asked_again:
            return commands
        return [*commands, *self._ask_again(said.speech_end, now, is_fault=False)]

    def _ask_again(self, speech_end: float, now: float, *, is_fault: bool) -> list[p.Command]:
        self._has_asked_again = True
        self._end_contest()
        self.speaking.failures += is_fault
        return [*self.speaking.drop_draft(), *self.speaking.say(prompt.NOT_UNDERSTOOD, now, speech_end=speech_end)]

    def _end_contest(self) -> None:
        self._floor.end()
        self.hearing.is_contested = False

    def key(self, digit: str, now: float) -> list[p.Command]:
        """The caller presses a key: the agent stops, and waits for the rest of them."""
        self._keypad.press(digit, now)
        self._patience.caller_began()
        if not (self._interrupts and self.speaking.is_audible(now)):
            return []
        return [*self.speaking.move([Move("cut", "keys")], now), *self.speaking.cut(now)]

    # --- time -----------------------------------------------------------------------------------------
    def on_time(self, now: float) -> list[p.Command]:
        """What is due: keys that are all there, an answer that is late, a caller who says nothing."""
        commands: list[p.Command] = []
        while not self.hearing.is_speaking and (digits := self._keypad.due(now)) is not None:
            commands += self._on_said(Said(as_words(digits), speech_end=now, final_at=now), now)
        late_at = self._patience.late_at(self._owed_since(now))
        if late_at is not None and now >= late_at:
            if self._floor.voice is Voice.SILENT:  # it gave way, and the words that decide do not come
                commands += self.speaking.cut(now)
                self._end_contest()
            sentence = self._patience.acknowledgement(now)
            self.speaking.acknowledge(sentence, now, speech_end=self.hearing.ended_at)
        lonely_at = self._patience.lonely_at(self._quiet_since())
        if lonely_at is not None and now >= lonely_at:
            sentence, is_last = self._patience.reprompt()
            commands += self.speaking.say(sentence, now, is_last=is_last, end_reason="silence" if is_last else None)
        return commands

    def play(self, now: float) -> list[p.Command]:
        """Let the agent speak; once it has finished, answer what was said meanwhile."""
        commands = self.speaking.play(now)
        if self.speaking.is_busy:
            return commands
        if self._floor.is_contested:
            self._end_contest()
        if self._later and not self.speaking.has_said_last:
            said, self._later = self._later, []
            text = " ".join(each.text for each in said)
            commands += self.speaking.answer(replace(said[-1], text=text, speech_start=said[0].speech_start), now)
        return commands

    def _owed_since(self, now: float) -> float | None:
        """Since when the caller waits in silence for the agent."""
        if self.hearing.is_speaking:
            return None
        is_silent = not self.speaking.is_busy or self._floor.voice is Voice.SILENT
        if self.hearing.ended_at is not None and is_silent:
            return max(self.hearing.ended_at, self.speaking.ends_at)
        if self._floor.voice is Voice.SILENT:
            return None
        return self.speaking.owes_since(now)

    def _quiet_since(self) -> float | None:
        """Since when nobody has spoken and nobody is about to."""
        if self.speaking.is_busy or self.hearing.is_speaking or self.hearing.is_expecting or self._keypad.pending:
            return None
        return max(self._opened_at, self.hearing.speech_end or 0.0, self.speaking.ends_at)
