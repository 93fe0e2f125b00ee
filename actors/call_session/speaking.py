"""The agent's side of the conversation: the reply being said, the draft of the next one, and the history. Pure."""

from collections.abc import Mapping, Sequence

from actors.call_session import prompt
from actors.call_session.hearing import Said
from actors.call_session.playout import Playout
from actors.call_session.protocol import CancelTurn, Command, ReportError, SaveTurn, SendAudio, StartReply
from actors.call_session.reply import Moments, Reply
from models.agent import AgentConfig
from providers.roles import Message


class Speaking:
    """Says one reply at a time and remembers what both sides have said.

    `failures` counts vendor faults since the last good reply. `has_said_last` is true once the call's last
    sentence has been heard.
    """

    def __init__(self, config: AgentConfig, *, history: Sequence[Message], metadata: Mapping[str, object]) -> None:
        self.history = list(history)
        self.failures = 0
        self.has_said_last = False
        self._system = prompt.system_prompt(config, metadata)
        self._playout: Playout | None = None
        self._answered_at = 0.0
        self._turn = 0
        self._reply: Reply | None = None
        self._draft: Reply | None = None

    @property
    def is_busy(self) -> bool:
        """A reply is being thought of or said."""
        return self._reply is not None

    def open(self, playout: Playout, *, answered_at: float) -> None:
        """The line is up."""
        self._playout, self._answered_at = playout, answered_at

    def deadline(self, now: float) -> float | None:
        """When `play` will next have something to do by itself."""
        return self._playout.deadline(now) if self._playout is not None else None

    # --- what to say ----------------------------------------------------------------------------------
    def say(
        self, sentence: str, now: float, *, speech_end: float | None = None, is_last: bool = False
    ) -> list[Command]:
        """A fixed sentence, in place of whatever is being said."""
        commands = self.cut(now)
        self._reply = Reply(self._new_turn(), is_last=is_last)
        self._reply.moments.speech_end = speech_end
        self._reply.add_text(sentence, now)
        self._reply.end_text()
        return commands

    def draft(self, text: str, now: float) -> list[Command]:
        """Start thinking of an answer to what the caller seems to have said."""
        commands = self.drop_draft()
        self._draft = Reply(self._new_turn(), answers=text)
        heard = self._heard(now)
        history = [*self.history, Message("assistant", heard)] if heard else self.history
        return [*commands, StartReply(self._draft.turn, prompt.messages_for(self._system, history, text))]

    def drop_draft(self) -> list[Command]:
        """The caller meant something else."""
        draft, self._draft = self._draft, None
        return [CancelTurn(draft.turn)] if draft is not None else []

    def answer(self, said: Said, now: float) -> list[Command]:
        """The caller's turn is over: the draft is the reply if it answers just that, else a new one is asked for."""
        commands: list[Command] = []
        if self._draft is None or self._draft.answers != said.text or self._draft.has_failed:
            commands += self.draft(said.text, now)
        commands += [*self.cut(now), *self.keep_words(said)]
        self._reply, self._draft = self._draft, None
        if self._reply is not None:
            self._reply.moments.speech_end, self._reply.moments.final_text = said.speech_end, said.final_at
        return commands

    def keep_words(self, said: Said) -> list[Command]:
        """The caller's finished turn, for the log."""
        moments = Moments(speech_end=said.speech_end, final_text=said.final_at)
        return [self._save("user", said.text, moments=moments, interrupted=False)]

    # --- interruption ---------------------------------------------------------------------------------
    def hold(self, now: float) -> list[Command]:
        """The caller speaks: fall silent until it is known whether that was words."""
        return list(self._playout.hold(now)) if self.is_busy and self._playout is not None else []

    def resume(self) -> None:
        """It was nothing."""
        if self._playout is not None:
            self._playout.resume()

    def cut(self, now: float) -> list[Command]:
        """End the reply under way; what was heard of it is what is kept."""
        heard = self._heard(now)
        reply, self._reply = self._reply, None
        if reply is None or self._playout is None:
            return []
        commands: list[Command] = [CancelTurn(reply.turn), *self._playout.drop(now)]
        if heard:
            commands.append(self._save("assistant", heard, moments=reply.moments, interrupted=True))
        return commands

    # --- answers from the vendors and the carrier -----------------------------------------------------
    def add_text(self, turn: int, piece: str, now: float) -> None:
        """More of a reply's text."""
        if reply := self._reply_of(turn):
            reply.add_text(piece, now)

    def end_text(self, turn: int, *, has_failed: bool) -> None:
        """A reply's stream is over. An empty reply is a failed one."""
        if reply := self._reply_of(turn):
            reply.end_text()
            reply.has_failed = has_failed or not reply.clauses
            self.failures = self.failures if reply.has_failed else 0

    def add_audio(self, turn: int, clause: int, pcm: bytes, now: float) -> None:
        """More speech."""
        if self._playout is not None and self._reply is not None and self._reply.turn == turn:
            if self._reply.moments.first_audio is None:
                self._reply.moments.first_audio = now
            self._playout.add_audio(clause, pcm)

    def end_audio(self, turn: int, clause: int) -> None:
        """A clause has all its speech."""
        if self._playout is not None and self._reply is not None and self._reply.turn == turn:
            self._playout.finish_clause(clause)

    def mark_played(self, name: str, now: float) -> None:
        """The caller has heard up to here."""
        if self._playout is not None:
            self._playout.mark_played(name, now)

    # --- playing --------------------------------------------------------------------------------------
    def play(self, now: float) -> list[Command]:
        """Voice new clauses, send the audio that is due, and notice when everything was said."""
        reply, playout = self._reply, self._playout
        if reply is None or playout is None:
            return []
        commands: list[Command] = [*reply.voice(playout)]
        for command in playout.due(now):
            if isinstance(command, SendAudio) and reply.moments.playback_start is None:
                reply.moments.playback_start = command.at
            commands.append(command)
        if playout.is_finished(now):
            playout.drop(now)
            self._reply, self.has_said_last = None, reply.is_last
            commands.append(self._save("assistant", reply.text, moments=reply.moments, interrupted=False))
        return commands

    def apologise(self, now: float) -> list[Command]:
        """The model failed under the reply: say so after whatever it had said."""
        reply = self._reply
        if reply is None or not reply.has_failed:
            return []
        reply.has_failed = False
        self.failures += 1
        report = ReportError("LLM_ERROR", "The language model failed")
        if reply.clauses:
            reply.add_sentence(prompt.REPLY_FAILED)
            return [report]
        return [report, *self.say(prompt.REPLY_FAILED, now, speech_end=reply.moments.speech_end)]

    def _heard(self, now: float) -> str:
        return self._playout.text_heard(now) if self._playout is not None and self._reply is not None else ""

    def _reply_of(self, turn: int) -> Reply | None:
        """The reply an answer belongs to; None for one that nobody waits for any more."""
        return next((reply for reply in (self._reply, self._draft) if reply is not None and reply.turn == turn), None)

    def _new_turn(self) -> int:
        self._turn += 1
        return self._turn

    def _save(self, role: str, text: str, *, moments: Moments, interrupted: bool) -> SaveTurn:
        self.history.append(Message("user" if role == "user" else "assistant", text))
        return SaveTurn(role, text, interrupted, moments.timings(self._answered_at))
