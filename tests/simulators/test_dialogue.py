"""The scripted desk books an appointment, and copes with misunderstanding, asides and interruptions."""

from simulators.dialogue import COST, GOODBYE, GREETING, HOURS, SORRY, reply_to


def replies(*texts: str) -> list[str]:
    """The desk's answer after each thing said, the conversation replayed as a chat client would."""
    messages: list[dict[str, object]] = [{"role": "system", "content": "You are a receptionist."}]
    answers = []
    for text in texts:
        messages.append({"role": "user", "content": text})
        answers.append(reply_to(messages))
        messages.append({"role": "assistant", "content": answers[-1][:7]})
    return answers


def test_it_greets_while_nobody_has_spoken() -> None:
    assert reply_to([{"role": "system", "content": "anything"}]) == GREETING


def test_it_books_step_by_step() -> None:
    assert replies(
        "Hello, I would like to book an appointment.",
        "Tuesday, please.",
        "Three in the afternoon.",
        "Yes, please.",
        "My name is Maria.",
        "five five five one two three four",
        "No, thank you. Goodbye.",
    ) == [
        "Which day would you like?",
        "What time would you like?",
        "I have Tuesday at three in the afternoon. Is that good for you?",
        "May I have your name, please?",
        "What is your phone number?",
        "Thank you, Maria. You are booked for Tuesday at three in the afternoon. "
        "Is there anything else I can help you with?",
        GOODBYE,
    ]


def test_day_and_time_in_one_sentence_are_both_understood() -> None:
    assert replies("i would like to book an appointment for friday at ten thirty") == [
        "I have Friday at ten thirty in the morning. Is that good for you?"
    ]


def test_going_on_with_the_name_accepts_the_offer() -> None:
    assert replies("tuesday at three please", "my name is maria")[-1] == "What is your phone number?"


def test_a_refused_offer_starts_over_with_the_day() -> None:
    assert replies("tuesday at three please", "no that is not right")[-1] == "Which day would you like?"


def test_a_corrected_day_is_offered_anew() -> None:
    assert replies("tuesday at three please", "can i change it to thursday")[-1] == (
        "I have Thursday at three in the afternoon. Is that good for you?"
    )


def test_an_aside_is_answered_and_the_question_put_again() -> None:
    assert replies("i want to book an appointment", "how much does it cost") == [
        "Which day would you like?",
        f"{COST} Which day would you like?",
    ]
    assert replies("what are your opening hours") == [f"{HOURS} How can I help you today?"]


def test_what_it_does_not_understand_it_asks_once_and_then_goes_on() -> None:
    said = replies("i want to book an appointment", "mumble", "mumble", "yes", "mumble", "mumble", "mumble", "mumble")
    assert said == [
        "Which day would you like?",
        SORRY,
        "I have Tuesday at three in the afternoon. Is that good for you?",
        "May I have your name, please?",
        "What is your phone number?",
        SORRY,
        "Thank you, Mumble. You are booked for Tuesday at three in the afternoon. "
        "Is there anything else I can help you with?",
        SORRY,
    ]


def test_a_greeting_is_answered_with_the_question() -> None:
    assert replies("hello") == ["How can I help you today?"]


def test_nothing_heard_is_asked_again() -> None:
    assert replies("") == [SORRY]
