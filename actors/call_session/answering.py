"""Who picked up a call we placed: a person, a voicemail, a menu, or the network saying that nobody can. Pure.

Timing first, words second. A person says a short greeting and waits; a machine talks on. A machine's words decide at
once, however short its greeting is.
"""

from actors.call_session.greetings import spoken_by
from models.conversation import AnsweredBy

HUMAN_SPEECH_S = 2.5
"""The longest greeting of a person."""
HUMAN_SILENCE_S = 0.5
"""After a short greeting somebody waits for an answer."""
MACHINE_SILENCE_S = 1.5
"""After a long greeting this much silence is its end."""
NO_SPEECH_S = 10.0
LONGEST_S = 20.0
"""From the answer; a verdict is due by then."""
REVISABLE_S = 8.0
"""For so long after it "human" still gives way to a machine's words or beep: some greetings begin "Hi, this is Bo." """
MESSAGE_SILENCE_S = 2.5
"""A voicemail whose greeting ended this long ago records, beep or not."""
LEAST_SPEECH_S = 0.1
"""Shorter sounds are clicks of the line."""


class Answering:
    """One answered call. Feed it until `deadline()` is None or nobody asks any more. Times are seconds."""

    def __init__(self, answered_at: float) -> None:
        self.verdict: AnsweredBy | None = None
        self._has_heard_unavailable = False
        self._answered_at = answered_at
        self._decided_at = answered_at
        self._run_began: float | None = None
        self._speech_began: float | None = None
        self._speech_ended = answered_at
        self._is_ready = False

    def window(self, is_speech: bool, now: float) -> None:
        """Whether the piece of sound that ended `now` was speech."""
        if not is_speech:
            self._run_began = None
        elif self._run_began is None:
            self._run_began = now
        elif now - self._run_began >= LEAST_SPEECH_S:
            self._speech_began = self._run_began if self._speech_began is None else self._speech_began
            self._speech_ended = now
        self.decide(now)

    def words(self, text: str, now: float) -> None:
        """What was recognised of the greeting so far."""
        speaker = spoken_by(text)
        # "The person you are calling is not available" may go on "please leave a message": wait for the end.
        self._has_heard_unavailable = speaker == "unavailable"
        if speaker is None or not self._may_be_machine(now):
            return
        if speaker != "unavailable" or self.verdict is not None:
            self._settle(speaker, now)

    def tone(self, now: float) -> None:
        """A beep ended: after speech it is a voicemail's, which records from here on."""
        if self._speech_began is not None and self._may_be_machine(now):
            self._settle("machine-voicemail", now)
        self._is_ready |= self.verdict == "machine-voicemail"

    def decide(self, now: float) -> AnsweredBy | None:
        """The verdict, if there is one by now; from the timing alone when no words have decided."""
        if self.verdict is None and (due := self._due()) is not None and now >= due[1]:
            self._settle(due[0], now)
        self.ready_for_message(now)
        return self.verdict

    def ready_for_message(self, now: float) -> bool:
        """Whether a voicemail's greeting is over: it beeped, or 2.5 s have passed in silence. False for all others."""
        self._is_ready |= self.verdict == "machine-voicemail" and now >= self._silent_enough_at()
        return self._is_ready

    def deadline(self) -> float | None:
        """When `decide` or `ready_for_message` may change by time alone; None: no more."""
        if self.verdict is None:
            return self._due()[1]
        if self.verdict == "machine-voicemail" and not self._is_ready:
            return self._silent_enough_at()
        return None

    def _due(self) -> tuple[AnsweredBy, float]:
        """What silence from here on would mean, and when."""
        if self._speech_began is None:
            return "uncertain", self._answered_at + NO_SPEECH_S
        latest = max(self._answered_at + LONGEST_S, self._speech_began)
        is_short = self._speech_ended - self._speech_began <= HUMAN_SPEECH_S
        if self._has_heard_unavailable:
            return "unavailable", min(self._speech_ended + MACHINE_SILENCE_S, latest)
        if is_short:
            return "human", self._speech_ended + HUMAN_SILENCE_S
        return "uncertain", min(self._speech_ended + MACHINE_SILENCE_S, latest)

    def _silent_enough_at(self) -> float:
        """When a message may begin without a beep, if nothing more is said."""
        return max(self._speech_ended, self._run_began or self._speech_ended) + MESSAGE_SILENCE_S

    def _may_be_machine(self, now: float) -> bool:
        is_open = self.verdict in (None, "uncertain")
        return is_open or (self.verdict == "human" and now < self._decided_at + REVISABLE_S)

    def _settle(self, verdict: AnsweredBy, now: float) -> None:
        self.verdict = verdict
        self._decided_at = now
