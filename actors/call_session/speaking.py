"""The agent's side of the conversation: the reply being said, the draft of the next one, and the history. Pure."""

from collections.abc import Mapping, Sequence

from actors.call_session import prompt
from actors.call_session.calling import Calling
from actors.call_session.completeness import are_equivalent
from actors.call_session.floor import Move
from actors.call_session.heard import Said
from actors.call_session.memory import Memory
from actors.call_session.playout import SAMPLE_BYTES, Playout
from actors.call_session.progress import Stretch
from actors.call_session.protocol import (
    CancelTurn,
    Command,
    ReportError,
    SaveTransfer,
    SendAudio,
    StartReply,
)
from actors.call_session.receiving import Receiving
from actors.call_session.reply import Reply
from actors.call_session.resuming import Resumption
from models.agent import AgentConfig

SAVE_S = 1.0
"""A caller's turn is written with the first sound of its answer, or after this long."""
EARLY_CLAUSES = 1
"""How much of a draft is voiced: enough to begin with at once, little enough to throw away."""


class Speaking(Receiving):
    """Says one reply at a time and remembers what both sides have said.

    `has_said_last` is true once the call's last sentence has been heard; `end_reason` is why, where the reply itself
    ended the call.
    """

    def __init__(
        self, config: AgentConfig, *, metadata: Mapping[str, object], resumption: Resumption | None = None
    ) -> None:
        history, functions = (resumption.history, resumption.functions) if resumption is not None else ((), ())
        super().__init__(Memory(config, history=history, metadata=metadata, functions=functions))
        self.has_said_last = False
        self.end_reason: str | None = None
        self._config = config
        self._calling = Calling(config)
        self._turn = 0

    def open(self, playout: Playout, *, answered_at: float) -> None:
        """The line is up."""
        self._playout, self._memory.answered_at = playout, answered_at
        self._calling.rate_hz = playout.rate_hz

    def deadline(self, now: float) -> float | None:
        """When `play` will next have something to do by itself."""
        times = [self._playout.deadline(now)] if self._playout is not None else []
        if self._reply is not None and self._reply.said is not None:
            times.append(self._reply.said.final_at + SAVE_S)
        return min((time for time in times if time is not None), default=None)

    # --- what to say ----------------------------------------------------------------------------------
    def say(
        self,
        sentence: str,
        now: float,
        *,
        speech_end: float | None = None,
        is_last: bool = False,
        end_reason: str | None = None,
    ) -> list[Command]:
        """A fixed sentence, in place of whatever is being said."""
        commands = self.cut(now)
        reply = Reply(self._new_turn(), since=now, is_last=is_last, end_reason=end_reason)
        reply.moments.speech_end = speech_end
        reply.add_text(sentence, now)
        reply.end_text(now)
        self._begin(reply)
        return commands

    def take_up(self, sentence: str, now: float, *, asks: bool) -> list[Command]:
        """Go on with a call: say this, and if the model is asked, what it makes of the conversation so far."""
        if not asks:
            return self.say(sentence, now) if sentence else []
        messages = self._memory.chat_to_go_on()
        reply = Reply(self._new_turn(), since=now, answers=messages[-1].content or sentence, messages=messages)
        reply.moments.thinking_start = now
        if sentence:
            reply.speech.add_filler(sentence, after_bytes=0)
        self._begin(reply)
        return [StartReply(reply.turn, messages)]

    def acknowledge(self, sentence: str, now: float, *, speech_end: float | None) -> None:
        """Bridge a wait with a few words, before the reply or the rest of it."""
        if self._playout is None:
            return
        if self._reply is None:
            reply = Reply(self._new_turn(), since=now)
            reply.moments.speech_end = speech_end
            self._begin(reply)
        assert self._reply is not None
        self._reply.speech.add_filler(sentence, after_bytes=self._playout.sent_bytes)

    def draft(self, text: str, now: float, *, is_voiced: bool) -> list[Command]:
        """Start thinking of an answer to what the caller seems to have said, unless that is being done already."""
        draft = self._draft
        if draft is not None and not draft.has_failed and are_equivalent(draft.answers, text):
            draft.is_voiced_early = draft.is_voiced_early or is_voiced
            return []
        commands = self.drop_draft()
        exchange = self._reply.exchange if self._reply is not None else []
        messages = self._memory.chat(self._heard(now), exchange, text)
        self._draft = Reply(self._new_turn(), since=now, answers=text, messages=messages, is_voiced_early=is_voiced)
        self._draft.moments.thinking_start = now
        return [*commands, StartReply(self._draft.turn, messages)]

    def drop_draft(self) -> list[Command]:
        """The caller meant something else."""
        draft, self._draft = self._draft, None
        return [CancelTurn(draft.turn)] if draft is not None else []

    def answer(self, said: Said, now: float) -> list[Command]:
        """The caller's turn is over: the draft is the reply if it answers just that, else a new one is asked for."""
        commands = self.draft(said.text, now, is_voiced=True)
        filling = self._reply if self.is_filling else None
        reply, self._draft = self._draft, None
        assert reply is not None
        if filling is not None and self._playout is not None and self._playout.sent_bytes:
            reply.speech.put_first(filling.speech.clauses)
        else:
            commands += self.cut(now)
        reply.said = said
        reply.moments.answer(said)
        self._begin(reply)
        return commands

    def withdraw(self, now: float) -> tuple[Said | None, list[Command]]:
        """The caller goes on before anything of the answer was heard: it is a draft again. None: it was heard."""
        reply, playout = self._reply, self._playout
        if reply is None or reply.said is None or reply.exchange or playout is None:
            return None, []
        heard = self._heard(now)
        commands: list[Command] = [*self._keep_heard(reply, heard, is_cut=True), *playout.drop(now)]
        reply.speech.drop_fillers()
        self._reply, self._draft = None, reply
        said, reply.said = reply.said, None
        return said, commands

    def stop_filling(self) -> None:
        """There is nothing to wait for any more."""
        if self._reply is not None and self._reply.is_only_filling:
            self._reply.is_generated = True

    def keep_words(self, said: Said) -> list[Command]:
        """The caller's finished turn, for the log."""
        return [self._memory.save_caller(said)]

    def _begin(self, reply: Reply) -> None:
        self._reply = reply
        if self._playout is not None:
            self._playout.play(reply.speech)

    # --- interruption ---------------------------------------------------------------------------------
    def move(self, moves: Sequence[Move], now: float) -> list[Command]:
        """Quieter, silent, or back to full level."""
        if self._reply is None or self._playout is None:
            return []
        commands: list[Command] = []
        for move in moves:
            self._reply.moments.barge_ins.append((now, move.decision, move.reason))
            act = {"duck": self._playout.duck, "restore": self._playout.restore}.get(move.decision)
            commands += (act or self._hold)(now)
        return commands

    def _hold(self, now: float) -> list[Command]:
        assert self._reply is not None
        assert self._playout is not None
        cleared = self._playout.hold(now)
        heard = self._playout.text_heard(now)
        return [*cleared, *self._notes.fell_silent(heard, self._memory.functions(self._reply.exchange))]

    def cut(self, now: float) -> list[Command]:
        """End the reply under way; what was heard of it is what is kept."""
        heard = self._heard(now)
        reply, self._reply = self._reply, None
        if reply is None or self._playout is None:
            return []
        reply.moments.playback_end = min(now, self._playout.ends_at)
        commands: list[Command] = [CancelTurn(reply.turn), *self._playout.drop(now), *self._keep_said(reply)]
        return [*commands, *self._keep_heard(reply, heard, is_cut=True)]

    def _keep_heard(self, reply: Reply, heard: str, *, is_cut: bool) -> list[Command]:
        """The agent's turn, for the log; one of which nothing was heard is none."""
        self._memory.keep_exchange(reply.exchange)
        if heard:
            self._notes.saved()
            return [self._memory.save_agent(heard, reply.moments, interrupted=is_cut)]
        self._memory.say_nothing()
        return list(self._notes.unsaid(self._memory.functions()))

    # --- playing --------------------------------------------------------------------------------------
    def play(self, now: float) -> list[Command]:
        """Voice new clauses, call functions, send the audio that is due, and notice when everything was said."""
        commands: list[Command] = []
        if self._draft is not None and self._draft.is_voiced_early and self._config.turn_taking.preemption:
            commands += self._draft.orders(now, at_most=EARLY_CLAUSES)
        reply, playout = self._reply, self._playout
        if reply is None or playout is None:
            return commands
        if reply.is_generated and reply.asked and not reply.has_failed:
            begun = self._calling.begin(reply, playout.sent_bytes)
            notes = self._notes.called(self._memory.functions(reply.exchange), now)
            commands += [*self._keep_said(reply), *notes, *begun]
            if reply.has_failed:
                return [*commands, *self.apologise(now), *self.play(now)]
        commands += [*reply.orders(now), *self._send(reply, playout, now)]
        if playout.is_finished(now):
            commands += self._finish(reply, playout, now)
        return commands

    def _send(self, reply: Reply, playout: Playout, now: float) -> list[Command]:
        before = playout.sent_bytes
        commands: list[Command] = list(playout.due(now))
        first = next((command for command in commands if isinstance(command, SendAudio)), None)
        if first is not None and (reply.speech.has_answer or reply.exchange):
            stretch = Stretch(before, playout.sent_bytes, first.at - now, playout.rate_hz * SAMPLE_BYTES)
            commands += self._notes.sent(reply.speech, stretch, self._memory.functions(reply.exchange), now)
        if first is not None and reply.moments.playback_start is None:
            reply.moments.playback_start = first.at
        is_time = reply.said is not None and (first is not None or now >= reply.said.final_at + SAVE_S)
        return [*self._keep_said(reply), *commands] if is_time else commands

    def _finish(self, reply: Reply, playout: Playout, now: float) -> list[Command]:
        reply.moments.playback_end = playout.ends_at
        playout.drop(now)
        self._reply, self.has_said_last, self.end_reason = None, reply.is_last, reply.end_reason
        commands = [*self._keep_said(reply), *self._keep_heard(reply, reply.speech.text, is_cut=False)]
        if reply.transfer_to is not None:
            commands.append(SaveTransfer(reply.transfer_to))
        return commands

    def apologise(self, now: float) -> list[Command]:
        """The model failed under the reply: say so after whatever it had said."""
        reply = self._reply
        if reply is None or not reply.has_failed:
            return []
        reply.has_failed = False
        self.failures += 1
        report = ReportError("LLM_ERROR", "The language model failed")
        if reply.speech.has_answer:
            reply.is_generated = True
            reply.add_sentence(prompt.REPLY_FAILED)
            return [report]
        return [report, *self.say(prompt.REPLY_FAILED, now, speech_end=reply.moments.speech_end)]

    # --- helpers --------------------------------------------------------------------------------------
    def _keep_said(self, reply: Reply) -> list[Command]:
        said, reply.said = reply.said, None
        return self.keep_words(said) if said is not None else []

    def _new_turn(self) -> int:
        self._turn += 1
        return self._turn
