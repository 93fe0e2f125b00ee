"""What the vendors and the carrier answer, taken in by the reply it belongs to. Pure."""

from actors.call_session import calling
from actors.call_session.memory import Memory
from actors.call_session.progress import Notes
from actors.call_session.protocol import (
    Command,
    Event,
    PlaybackMark,
    ReplyDone,
    ReplyFailed,
    ReplyPiece,
    SpeechDone,
    SpeechPiece,
    ToolAnswered,
    ToolsAsked,
)
from actors.call_session.reply import Reply
from actors.call_session.stage import Stage


class Receiving(Stage):
    """`failures` counts vendor faults since the last good reply."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory)
        self.failures = 0
        self._notes = Notes()

    def take(self, event: Event, now: float) -> list[Command]:
        """An answer to something slow; one that nobody waits for any more changes nothing."""
        match event:
            case ReplyPiece() | ToolsAsked() | SpeechPiece() | SpeechDone():
                if (reply := self.reply_of(event.turn)) is not None:
                    _tell(reply, event, now)
            case ToolAnswered():
                return self._tool_answered(event, now)
            case ReplyDone():
                self._end_text(event.turn, now, has_failed=False)
            case ReplyFailed():
                self._end_text(event.turn, now, has_failed=True)
            case PlaybackMark() if self._playout is not None:
                self._playout.mark_played(event.name, now)
            case _:
                pass  # time passed, or nobody listens any more
        return []

    def _end_text(self, turn: int, now: float, *, has_failed: bool) -> None:
        """A reply's stream is over. An empty reply is a failed one."""
        if reply := self.reply_of(turn):
            reply.end_text(now)
            is_empty = not (reply.speech.has_answer or reply.asked)
            reply.has_failed = has_failed or is_empty
            if reply.has_failed:
                reply.asked.clear()
            self.failures = self.failures if reply.has_failed else 0

    def _tool_answered(self, event: ToolAnswered, now: float) -> list[Command]:
        """A function answered: when all have, the model goes on. One of a reply that was cut is remembered."""
        reply = self._reply
        if reply is None or event.turn != reply.turn or event.call_id not in reply.running:
            self._memory.keep_late_answer(event.call_id, event.content)
            return []
        calling.answered(reply.exchange, event.call_id, event.content)
        reply.running.discard(event.call_id)
        notes = self._notes.called(self._memory.functions(reply.exchange), now)
        return [*notes, *([] if reply.is_waiting_for_tools or reply.is_last else [reply.again()])]


def _tell(reply: Reply, event: ReplyPiece | ToolsAsked | SpeechPiece | SpeechDone, now: float) -> None:
    match event:
        case ReplyPiece():
            reply.add_text(event.text, now)
        case ToolsAsked():
            reply.asked += event.calls
        case SpeechPiece():
            reply.add_audio(event.clause, event.pcm, now)
        case SpeechDone():
            reply.end_audio(event.clause)
