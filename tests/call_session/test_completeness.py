import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from actors.call_session.completeness import Completeness, are_equivalent, completeness
from tools.demo_whisper import phrases

COMPLETE, UNSURE, INCOMPLETE = Completeness.COMPLETE, Completeness.UNSURE, Completeness.INCOMPLETE

PHONE, PIN, CODE = "What is your phone number?", "Could you give me your PIN?", "Please tell me the four digit code."
ORDER, DAY, TIME = "Can I have your order number?", "Which day would you like?", "What time would you like?"
NAME, SO, PEOPLE = "May I have your name please?", "Is that correct?", "For how many people?"


@pytest.mark.parametrize(
    "text",
    [
        "um", "So,", "well", "hello my name is", "My name is.", "my number is", "i would like to", "I would like to.",
        "i would like", "it is", "i", "and", "i want to book an", "tuesday or", "because", "i am calling about my",
        "i need to see a doctor because", "I'd like an appointment,", "I'd like an appointment...", "so i \u2014",
        "can you", "what do you", "how much does it", "i live in", "you can call me at", "no it's", "i wonder if",
        "the thing is", "yes uh", "half past", "how about next", "i already paid for the",
        "tuesday the third of", "it costs and", "let me check the", "double", "i think i can't", "thank",
    ],
)  # fmt: skip
def test_what_ends_in_the_middle_is_incomplete(text: str) -> None:
    assert completeness(text) is INCOMPLETE


@pytest.mark.parametrize(
    "text",
    [
        "hello", "yes please", "no thank you", "thank you very much", "goodbye", "that is correct", "hold on",
        "how much does it cost", "what are your opening hours", "can i change it to thursday", "who is this",
        "do you have anything on friday", "i would like to book an appointment", "i have a question", "i think so",
        "where are you calling from", "how much is it", "what is it like", "i do not know", "my name is maria",
        "this is john", "tuesday at three in the afternoon", "my order has not arrived", "it never came",
        "speak to a human please", "transfer me to an agent", "i am busy", "my card is missing", "Tuesday.", "Maria?",
        "Yes, it is.", "monday is fine", "half past ten works for me", "i hope so", "yes that works for me",
        "on the second of may at nine a m", "who am i speaking to", "i'm calling about my order", "that's all",
    ],
)  # fmt: skip
def test_what_is_a_sentence_or_a_whole_answer_is_complete(text: str) -> None:
    assert completeness(text) is COMPLETE


@pytest.mark.parametrize(
    ("text", "question", "reading"),
    [
        ("tuesday", DAY, COMPLETE), ("tuesday", "", UNSURE), ("january", DAY, UNSURE), ("three", TIME, COMPLETE),
        ("at 3:30", TIME, COMPLETE), ("January 3rd", DAY, COMPLETE), ("tuesday at", DAY, INCOMPLETE),
        ("maria garcia", NAME, COMPLETE), ("maria", "", UNSURE), ("it's maria", NAME, COMPLETE),
        ("i am", NAME, INCOMPLETE),
        ("two", PEOPLE, COMPLETE), ("two", "", UNSURE), ("yes", SO, COMPLETE), ("yes it is", SO, UNSURE),
        ("no not really", SO, COMPLETE), ("no it is not", SO, COMPLETE),
    ],
)  # fmt: skip
def test_a_short_answer_is_read_by_the_question(text: str, question: str, reading: Completeness) -> None:
    assert completeness(text, question=question) is reading


@pytest.mark.parametrize(
    ("text", "question", "reading"),
    [
        ("five five five", PHONE, INCOMPLETE), ("Five, five, five.", PHONE, INCOMPLETE), ("555-1234.", PHONE, UNSURE),
        ("five five five one two three four", PHONE, UNSURE), ("double five double six", PHONE, INCOMPLETE),
        ("nine eight seven six five four three two", PHONE, UNSURE),
        ("nine eight seven six five four three two one oh", PHONE, COMPLETE), ("sure", PHONE, UNSURE),
        ("sure it's 555 1234", PHONE, UNSURE), ("i don't have one", PHONE, COMPLETE), ("one second", PHONE, COMPLETE),
        ("yes", "Is your phone number 555 1234?", COMPLETE), ("one two three", CODE, INCOMPLETE),
        ("1 2 3.", CODE, INCOMPLETE), ("one two three four", CODE, COMPLETE), ("12", PIN, INCOMPLETE),
        ("one two three four", PIN, COMPLETE), ("five", ORDER, INCOMPLETE), ("five six seven", ORDER, INCOMPLETE),
        ("five six seven eight nine one", ORDER, UNSURE), ("my number is five five five", "", INCOMPLETE),
        ("my number is five five five one two three four", "", UNSURE), ("five five five", "", INCOMPLETE),
        ("three fifteen", TIME, COMPLETE), ("my phone number is 555", "How can I help?", INCOMPLETE),
        ("my number is five five five thank you", "", INCOMPLETE), ("seven three nine thanks", ORDER, COMPLETE),
    ],
)  # fmt: skip
def test_a_number_read_out_is_complete_when_its_digits_are(text: str, question: str, reading: Completeness) -> None:
    assert completeness(text, question=question) is reading


@pytest.mark.parametrize(
    ("text", "language", "reading"),
    [
        ("quisiera una cita para", "es", INCOMPLETE), ("quisiera una cita", "es", UNSURE),
        ("Quisiera una cita.", "es-MX", COMPLETE), ("euh", "fr", INCOMPLETE), ("ich möchte und", "de", INCOMPLETE),
        ("haan matlab", "hi", INCOMPLETE), ("मेरा नाम मारिया है।", "hi", COMPLETE), ("मुझे लेकिन", "hi", INCOMPLETE),
        ("and", "xx", UNSURE), ("and.", "xx", COMPLETE), ("and,", "xx", INCOMPLETE), ("はい。", "ja", COMPLETE),
        ("and", "en-IN", INCOMPLETE),
    ],
)  # fmt: skip
def test_other_languages_go_by_fillers_and_punctuation(text: str, language: str, reading: Completeness) -> None:
    assert completeness(text, language=language) is reading


@pytest.mark.parametrize("text", ["", " ", "...", "?", "--"])
def test_no_words_say_nothing(text: str) -> None:
    assert completeness(text) is UNSURE


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ("Three.", "3", True), ("i'd like it", "I\u2019d like it!", True), ("good bye", "Goodbye", True),
        ("", "...", True),
        ("twelve thirty", "12 thirty", True), ("tuesday", "thursday", False), ("yes", "yes please", False),
        ("five five", "5 5", True), ("thirteen", "13", False),
    ],
)  # fmt: skip
def test_texts_are_equivalent_when_the_words_are(one: str, other: str, are_same: bool) -> None:
    assert are_equivalent(one, other) == are_equivalent(other, one) == are_same


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["en", "de", "hi", "xx"]))
def test_any_text_is_read_and_is_equivalent_to_itself(text: str, question: str, language: str) -> None:
    assert completeness(text, question=question, language=language) in Completeness
    assert are_equivalent(text, text.upper()) or text.upper().lower() != text.lower()


SLOTS = {
    **phrases.WORDS,
    "name": ("maria", "john"), "item": ("order", "booking"), "surname": ("patel",), "weekday": ("monday", "friday"),
    "date": ("tuesday", "next monday", "the third of may", "june first", "tomorrow"), "amount": ("fifty dollars",),
    "time": ("three in the afternoon", "ten thirty", "half past four", "nine a m"),
    "part": ("morning", "in the evening"),
    "digits": ("five six seven eight nine one", "double five one two three four nine"),
    "phone": ("five five five one two three four", "nine eight seven six five four three two one oh"),
}  # fmt: skip
ELSEWHERE = ("so your number is", "i have your number as", "press ")
"""What agents say."""
ADJUNCTS = ("at", "on", "for", "in", "please", "thank", "by", "from", "with", "first", "back")
"""A sentence cut before one of these is a sentence."""


def _filled(pattern: str) -> Iterator[str]:
    names = re.findall(r"\{(\w+)\}", pattern)
    for values in itertools.islice(itertools.product(*(SLOTS[name] for name in names)), 12):
        text = pattern
        for name, value in zip(names, values, strict=True):
            text = text.replace(f"{{{name}}}", value, 1)
        yield text.replace(",", "")


def _question(pattern: str) -> str:
    if re.search(r"\{(weekday|date|time)\}", pattern):
        return "What day and what time would you like?"
    if "{name}" in pattern:
        return NAME
    return PHONE if "{phone}" in pattern else ORDER if "{digits}" in pattern else "How can I help you?"


def _spoken() -> dict[str, list[tuple[str, str]]]:
    """What callers of the demonstration say, by pattern, with the question before it."""
    patterns: tuple[str, ...] = (
        *phrases.DEMO_CALLER,
        *phrases.GENERAL,
        *phrases.DEMO_CALLER_PATTERNS,
        *phrases.GENERAL_PATTERNS,
    )
    patterns += tuple(pattern for pattern in phrases.DIGIT_PATTERNS if not pattern.startswith(ELSEWHERE))
    return {pattern: [(text, _question(pattern)) for text in _filled(pattern)] for pattern in patterns}


def test_whole_phrases_mostly_read_complete() -> None:
    shares = [
        sum(completeness(text, question=question) is COMPLETE for text, question in said) / len(said)
        for said in _spoken().values()
    ]
    assert sum(shares) / len(shares) >= 0.9


def test_whole_phrases_never_read_incomplete() -> None:
    said = itertools.chain.from_iterable(_spoken().values())
    assert [text for text, question in said if completeness(text, question=question) is INCOMPLETE] == []


def test_phrases_cut_short_rarely_read_complete() -> None:
    spoken = _spoken()
    whole = {text for said in spoken.values() for text, _ in said}
    shares = []
    for said in spoken.values():
        readings = [
            completeness(" ".join(words[:end]), question=question)
            for text, question in said
            for words in [text.split()]
            for end in range(1, len(words))
            if " ".join(words[:end]) not in whole and words[end] not in ADJUNCTS
        ]
        if readings:
            shares.append((readings.count(COMPLETE), len(readings), len(said)))
    wrong, cuts = (sum(share[index] / share[2] for share in shares) for index in (0, 1))
    assert wrong / cuts <= 0.1
