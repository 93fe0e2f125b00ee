"""What is being said at this moment, the draft of what may follow, and questions about them. Pure; changes nothing."""

from actors.call_session.memory import Memory, last_sentence
from actors.call_session.playout import Playout
from actors.call_session.reply import Reply
from providers.roles import Message


class Stage:
    """The reply that the caller hears or waits for, and the draft of the next one."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._playout: Playout | None = None
        self._reply: Reply | None = None
        self._draft: Reply | None = None

    @property
    def is_busy(self) -> bool:
        """A reply is being thought of or said."""
        return self._reply is not None

    @property
    def history(self) -> list[Message]:
        """What both sides have said."""
        return self._memory.messages

    @property
    def question(self) -> str:
        """The last sentence of the agent."""
        text = self._reply.speech.text if self._reply is not None and self._reply.speech.has_answer else ""
        return last_sentence(text or self._memory.last_said)

    @property
    def ends_at(self) -> float:
        """When the agent's last sound is over."""
        return self._playout.ends_at if self._playout is not None else 0.0

    def is_audible(self, now: float) -> bool:
        """The caller hears the agent."""
        return self._playout is not None and self._reply is not None and self._playout.is_audible(now)

    def left_s(self, now: float) -> float:
        """How much of the reply the caller has still to hear."""
        return self._playout.left_s(now) if self._playout is not None else 0.0

    def owes_since(self, now: float) -> float | None:
        """Since when the caller has waited in silence for a reply, or for the rest of one; None: they do not."""
        reply, playout = self._reply, self._playout
        if reply is None or playout is None or playout.is_audible(now) or self._is_all_there(reply):
            return None
        return max(reply.moments.speech_end or reply.since, playout.ends_at)

    def _is_all_there(self, reply: Reply) -> bool:
        return reply.speech.is_complete and reply.speech.ready()[1]

    @property
    def is_filling(self) -> bool:
        """All that is being said bridges the wait for the caller's words to be recognised."""
        return self._reply is not None and self._reply.is_only_filling

    @property
    def is_answering(self) -> bool:
        """What the caller said is being answered."""
        return self._reply is not None and bool(self._reply.answers)

    @property
    def has_unsaved_words(self) -> bool:
        """A turn of the caller's is over and not in the log yet."""
        return self._reply is not None and self._reply.said is not None

    def reply_of(self, turn: int) -> Reply | None:
        """The reply or draft an answer belongs to; None for one that nobody waits for any more."""
        return next((reply for reply in (self._reply, self._draft) if reply is not None and reply.turn == turn), None)

    def _heard(self, now: float) -> str:
        return self._playout.text_heard(now) if self._playout is not None and self._reply is not None else ""
