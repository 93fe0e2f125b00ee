import pytest

from actors.call_session.digits import count_digits, is_only_digits, wanted_digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("", 0),
        ("hello", 0),
        ("five five five one two three four", 7),
        ("double five triple two oh", 6),
        ("555-1234.", 7),
        ("It's 555, 12 34, thank you", 7),
        ("five five um five", 3),
        ("four two in room one", 2),
        ("my number is nine eight seven", 3),
    ],
)
def test_digits_of_the_longest_run_are_counted(text: str, digits: int) -> None:
    assert count_digits(text) == digits


@pytest.mark.parametrize(
    ("words", "is_number"),
    [("five five five", True), ("five um five five", True), ("three", False), ("three thirty", False), ("", False)],
)
def test_a_number_is_three_digits_and_nothing_else(words: str, is_number: bool) -> None:
    assert is_only_digits(words.split()) == is_number


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        ("What is your phone number?", "", (7, 10)),
        ("what number can we call you on", "", (7, 10)),
        ("Please tell me the four digit code.", "", (4, 4)),
        ("May I have the last 6 digits of your card?", "", (6, 6)),
        ("Could you give me your PIN?", "", (4, 4)),
        ("Can I have your order number?", "", (4, 8)),
        ("How can I help you?", "my number is five", (7, 10)),
        ("Can I have your order number?", "my number is five", (4, 8)),
        ("How can I help you?", "the code is five", (4, 8)),
        ("How can I help you?", "my phone number is five", (7, 10)),
        ("How can I help you?", "you can call me back on five", (7, 10)),
        ("For what number of people?", "four", None),
        ("How many digits?", "", None),
        ("Is your phone number 555 1234?", "yes", None),
        ("Thank you for the number.", "", None),
        ("Which day would you like?", "", None),
        ("", "", None),
    ],
)
def test_how_many_digits_are_due(question: str, text: str, wanted: tuple[int, int] | None) -> None:
    assert wanted_digits(question, text) == wanted
