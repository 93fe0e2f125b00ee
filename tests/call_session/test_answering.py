import pytest
from hypothesis import given, strategies as st

from actors.call_session.answering import Answering
from actors.call_session.greetings import spoken_by
from models.conversation import AnsweredBy

ANSWERED_AT = 100.0
WINDOW_S = 0.032


class Line:
    """An answered call played window by window; notes when the verdict changed, in seconds after the answer."""

    def __init__(self) -> None:
        self.answering = Answering(ANSWERED_AT)
        self.windows = 0
        self.verdicts: list[tuple[AnsweredBy, float]] = []

    @property
    def now(self) -> float:
        return ANSWERED_AT + self.windows * WINDOW_S

    def hear(self, seconds: float, *, speech: bool) -> "Line":
        for _ in range(round(seconds / WINDOW_S)):
            self.windows += 1
            self.answering.window(speech, self.now)
            self._note()
        return self

    def speech(self, seconds: float) -> "Line":
        return self.hear(seconds, speech=True)

    def silence(self, seconds: float) -> "Line":
        return self.hear(seconds, speech=False)

    def words(self, text: str) -> "Line":
        self.answering.words(text, self.now)
        self._note()
        return self

    def tone(self) -> "Line":
        self.answering.tone(self.now)
        self._note()
        return self

    @property
    def is_ready(self) -> bool:
        return self.answering.ready_for_message(self.now)

    def _note(self) -> None:
        verdict = self.answering.verdict
        if verdict is not None and (not self.verdicts or self.verdicts[-1][0] != verdict):
            self.verdicts.append((verdict, self.now - ANSWERED_AT))


def test_a_short_greeting_and_silence_is_a_person() -> None:
    ((verdict, at),) = Line().silence(0.6).speech(0.7).silence(2).verdicts
    assert verdict == "human"
    assert at == pytest.approx(0.6 + 0.7 + 0.5, abs=0.07)


def test_a_greeting_of_two_words_with_a_breath_between_is_a_person() -> None:
    line = Line().speech(0.5).silence(0.3).speech(0.8).silence(0.6)
    assert [verdict for verdict, _ in line.verdicts] == ["human"]


def test_first_speech_may_come_late() -> None:
    assert Line().silence(9.5).speech(0.6).silence(0.6).answering.verdict == "human"


def test_nobody_speaking_for_ten_seconds_is_uncertain() -> None:
    ((verdict, at),) = Line().silence(12).verdicts
    assert verdict == "uncertain"
    assert at == pytest.approx(10, abs=0.04)


def test_a_click_is_no_greeting() -> None:
    assert Line().silence(1).speech(0.06).silence(5).answering.verdict is None


def test_long_speech_without_machine_words_is_uncertain_at_its_end() -> None:
    ((verdict, at),) = Line().speech(4).words("hello this is a long story").silence(3).verdicts
    assert verdict == "uncertain"
    assert at == pytest.approx(5.5, abs=0.07)


def test_endless_speech_is_uncertain_after_twenty_seconds() -> None:
    ((verdict, at),) = Line().speech(25).verdicts
    assert verdict == "uncertain"
    assert at == pytest.approx(20, abs=0.04)


def test_voicemail_words_decide_at_once_and_it_records_after_the_beep() -> None:
    line = Line().speech(3).words("hi you have reached bo please leave a message")
    assert line.answering.verdict == "machine-voicemail"
    assert not line.speech(1).silence(0.5).is_ready
    assert line.tone().is_ready
    assert line.answering.deadline() is None


def test_a_voicemail_without_a_beep_records_after_two_and_a_half_seconds_of_silence() -> None:
    line = Line().speech(3).words("please leave a message after the tone").silence(2.4)
    assert not line.is_ready
    assert line.answering.deadline() == pytest.approx(ANSWERED_AT + 3 + 2.5, abs=0.07)
    assert line.silence(0.2).is_ready
    assert line.speech(1).is_ready


def test_a_short_greeting_with_machine_words_is_a_machine() -> None:
    line = Line().speech(1.2).words("leave a message").silence(1)
    assert [verdict for verdict, _ in line.verdicts] == ["machine-voicemail"]


def test_a_person_turns_out_to_be_a_machine_when_the_greeting_goes_on() -> None:
    line = Line().speech(1).silence(0.7).speech(2).words("hi this is bo i can't come to the phone")
    assert [verdict for verdict, _ in line.verdicts] == ["human", "machine-voicemail"]


def test_a_beep_after_a_short_greeting_is_a_voicemail() -> None:
    line = Line().speech(1).silence(0.7).tone()
    assert [verdict for verdict, _ in line.verdicts] == ["human", "machine-voicemail"]
    assert line.is_ready


def test_a_beep_before_anybody_spoke_is_nothing() -> None:
    line = Line().silence(1).tone()
    assert line.answering.verdict is None
    assert not line.is_ready


def test_a_person_stays_one_when_machine_words_come_late() -> None:
    line = Line().speech(0.6).silence(10).words("i will leave a message for her").tone()
    assert line.answering.verdict == "human"
    assert not line.is_ready


def test_a_menu_is_told_by_its_words() -> None:
    assert Line().speech(3).words("for sales press one").answering.verdict == "machine-ivr"


def test_a_network_announcement_is_believed_when_it_ends() -> None:
    ((verdict, at),) = Line().speech(3).words("the number you have dialled is not in service").silence(2).verdicts
    assert verdict == "unavailable"
    assert at == pytest.approx(4.5, abs=0.07)


def test_not_available_may_go_on_to_a_voicemail() -> None:
    line = Line().speech(2).words("the person you are calling is not available").speech(2)
    line.words("the person you are calling is not available please leave a message after the tone")
    assert [verdict for verdict, _ in line.verdicts] == ["machine-voicemail"]


def test_the_deadline_is_when_the_verdict_falls_due() -> None:
    answering = Answering(ANSWERED_AT)
    assert answering.deadline() == ANSWERED_AT + 10
    assert answering.decide(ANSWERED_AT + 9.9) is None
    assert answering.decide(ANSWERED_AT + 10) == "uncertain"
    assert answering.deadline() is None


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Hello?", None), ("Hi, this is Maria speaking.", None), ("Good morning, Acme dental, how can I help?", None),
        ("i am not available right now can you call later", None), ("yes who is calling", None),
        ("Please leave a message after the tone.", "machine-voicemail"),
        ("you've reached bo leave your name and number", "machine-voicemail"),
        ("I'm sorry I can't come to the phone right now", "machine-voicemail"),
        ("the google subscriber you have called is not available to take your call", "machine-voicemail"),
        ("at the beep record your message", "machine-voicemail"),
        ("your call has been forwarded to an automated voice messaging system", "machine-voicemail"),
        ("Your call has been forwarded to voicemail", "machine-voicemail"),
        ("when you have finished recording press one leave a message after the tone", "machine-voicemail"),
        ("the mailbox is full and cannot accept any messages at this time", "unavailable"),
        ("the person you are trying to reach has a voicemail box that has not been set up yet", "unavailable"),
        ("The number you have dialed is not in service.", "unavailable"),
        ("the mobile you are calling is switched off", "unavailable"),
        ("the subscriber you have dialled is currently not reachable", "unavailable"),
        ("your call cannot be completed as dialed please check the number", "unavailable"),
        ("For sales, press 1. For support, press 2.", "machine-ivr"),
        ("please listen carefully as our menu options have changed", "machine-ivr"),
        ("if you know your party's extension you may dial it now", "machine-ivr"),
        ("your call is important to us please stay on the line", "machine-ivr"),
        ("", None),
    ],
)  # fmt: skip
def test_machines_are_known_by_what_they_say(text: str, speaker: AnsweredBy | None) -> None:
    assert spoken_by(text) == speaker


@given(st.lists(st.tuples(st.booleans(), st.floats(0.05, 6)), min_size=1, max_size=12))
def test_there_is_always_a_verdict_after_a_while_and_deadlines_are_kept(parts: list[tuple[bool, float]]) -> None:
    line = Line()
    for is_speech, seconds in parts:
        line.hear(seconds, speech=is_speech)
    line.silence(15)
    assert line.answering.verdict in ("human", "uncertain")
    assert line.answering.deadline() is None
    assert len(line.verdicts) == 1
