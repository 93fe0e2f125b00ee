"""Who picked up an outbound call, and what the agent does about it. Pure.

With an action for machines the greeting waits for a verdict: a person's "hello?" gets one half a second after it. With
none (`ignore`) the agent greets at once, and the verdict is only written down.
"""

from enum import Enum, auto

from actors.call_session.answering import Answering
from models.conversation import AnsweredBy, Voicemail

GREET_ANYWAY_S = 2.5
"""Somebody who says nothing may be waiting for us."""
SPEECH_WINDOWS = 6
"""So much speech (192 ms) is somebody; less is a click on the line."""


class Next(Enum):
    """What is to be done now that more is known."""

    GREET = auto()
    HANG_UP = auto()
    LEAVE_MESSAGE = auto()


class Pickup:
    """One outbound call's beginning; does nothing for inbound ones. A verdict may change: machines say "hello" too."""

    def __init__(self, voicemail: Voicemail, *, is_outbound: bool) -> None:
        self._action = voicemail.action
        self._is_outbound = is_outbound
        self._answering: Answering | None = None
        self._verdict: AnsweredBy | None = None
        self._greet_by: float | None = None
        self._speech_windows = 0
        self._leaves_message = False
        self._known: AnsweredBy | None = None

    @property
    def withholds(self) -> bool:
        """The agent does not speak yet."""
        return self._greet_by is not None or self._leaves_message

    def answered(self, now: float, known: AnsweredBy | None = None) -> None:
        """The line is up; `known`: who picked up, if that was found out before the call came here."""
        if self._is_outbound:
            self._known = known
            self._answering = Answering(now)
            self._greet_by = now + GREET_ANYWAY_S if self._action != "ignore" else None

    def window(self, is_speech: bool, now: float) -> None:
        """32 ms of the callee's line."""
        if self._answering is not None:
            self._answering.window(is_speech, now)
            self._speech_windows += is_speech
            if self._speech_windows == SPEECH_WINDOWS and self._greet_by is not None:
                self._greet_by = float("inf")  # they speak: now it takes a verdict

    def words(self, text: str, now: float) -> None:
        """What the callee has said so far."""
        if self._answering is not None:
            self._answering.words(text, now)

    def tone(self, now: float) -> None:
        """A beep."""
        if self._answering is not None:
            self._answering.tone(now)

    def deadline(self) -> float | None:
        """When `decide` may know more by itself."""
        if self._answering is None:
            return None
        times = (self._answering.deadline(), self._greet_by)
        return min((time for time in times if time is not None and time != float("inf")), default=None)

    def decide(self, now: float) -> tuple[AnsweredBy | None, Next | None]:
        """A new verdict, and what follows from what is known."""
        if self._answering is None:
            return None, None
        if self._known is not None:
            self._answering.verdict = self._verdict = self._known
            self._known = None
            return None, self._act_on(self._answering.verdict)
        verdict = self._answering.decide(now)
        if verdict is not None and verdict != self._verdict:
            self._verdict = verdict
            return verdict, self._act_on(verdict)
        if self._leaves_message:
            return None, self._when_ready(now)
        return None, self._greet() if self._greet_by is not None and now >= self._greet_by else None

    def _act_on(self, verdict: AnsweredBy) -> Next | None:
        is_person = verdict in ("human", "uncertain")
        if self._action == "ignore" or is_person:
            return self._greet()
        if self._action == "hangup" or verdict == "unavailable":
            return Next.HANG_UP
        if verdict == "machine-voicemail":
            self._leaves_message, self._greet_by = True, None
            return None
        return self._greet()

    def _greet(self) -> Next | None:
        withheld, self._greet_by = self._greet_by is not None, None
        return Next.GREET if withheld else None

    def _when_ready(self, now: float) -> Next | None:
        if not self._leaves_message or self._answering is None or not self._answering.ready_for_message(now):
            return None
        self._leaves_message = False
        return Next.LEAVE_MESSAGE
