"""The scripted demo language model: an appointment desk run by plain rules, not by a model.

Stateless like a chat endpoint: the whole conversation is replayed on every request, from the caller's words alone,
because the agent's own words may have been cut short by an interruption. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulators.hearing import day_in, digits_in, mentions, name_in, time_in, words_of

NAME = "scripted demo language model"

GREETING = "Thank you for calling the demo clinic. How can I help you today?"
SORRY = "Sorry, I did not catch that. Could you say it again?"
HOURS = "We are open Monday to Friday, from nine in the morning to five in the afternoon."
COST = "A visit costs fifty dollars."
GOODBYE = "Goodbye, and have a nice day."
ANYTHING_ELSE = "Is there anything else I can help you with?"
_QUESTIONS = {
    "wish": "How can I help you today?",
    "day": "Which day would you like?",
    "time": "What time would you like?",
    "name": "May I have your name, please?",
    "phone": "What is your phone number?",
    "more": ANYTHING_ELSE,
}
_BOOKING = ("appointment", "book", "booking", "doctor", "visit", "schedule")
_HELLO = ("hello", "hi", "hey", "morning", "afternoon", "evening")
_BYE = ("goodbye", "bye")
_NO = ("no", "nope", "not")
_YES = ("yes", "yeah", "sure", "okay", "ok", "correct", "right", "good", "fine", "works", "great", "perfect")
_OPENING = ("open", "opening", "hours")
_PRICE = ("cost", "costs", "price", "much")
_PHONE_DIGITS = 3
_LONG_NUMBER = 5
_SUGGESTION = ("tuesday", "three in the afternoon")


@dataclass(frozen=True, slots=True)
class Booking:
    """What the desk knows so far, and what it asked last."""

    asked: str = "wish"
    day: str | None = None
    time: str | None = None
    is_agreed: bool = False
    name: str | None = None
    phone: str | None = None
    misses: int = 0


def reply_to(messages: Sequence[Mapping[str, object]]) -> str:
    """The desk's next words in a chat of `role` and `content`; the greeting while the caller has said nothing."""
    booking, reply = Booking(), GREETING
    for message in messages:
        if message.get("role") == "user":
            booking, reply = step(booking, str(message.get("content") or ""))
    return reply


def step(booking: Booking, text: str) -> tuple[Booking, str]:
    """One thing the caller said: what the desk knows afterwards, and its answer."""
    words = words_of(text)
    if mentions(words, _BYE) or (booking.asked == "more" and _declines(words)):
        return booking, GOODBYE
    if aside := _aside(words):
        return booking, f"{aside} {_question(booking)}"
    if booking.asked == "wish" and mentions(words, _HELLO) and not mentions(words, _BOOKING):
        return booking, _question(booking)
    learnt = _learn(booking, words)
    if learnt == booking:
        return _missed(booking)
    return _ask_next(replace(learnt, misses=0))


def _aside(words: Sequence[str]) -> str | None:
    if mentions(words, _PRICE):
        return COST
    return HOURS if mentions(words, _OPENING) else None


def _declines(words: Sequence[str]) -> bool:
    return mentions(words, _NO) or "all" in words or mentions(words, ("thanks", "thank"))


def _learn(booking: Booking, words: Sequence[str]) -> Booking:
    """The slots these words fill; the same booking when they say nothing of use."""
    digits = digits_in(words)
    is_number = len(digits) >= (_PHONE_DIGITS if booking.asked == "phone" else _LONG_NUMBER)
    if is_number:
        return replace(booking, phone=digits)
    day, time, name = _slots(booking, words)
    learnt = replace(booking, day=day or booking.day, time=time or booking.time, name=name or booking.name)
    if booking.asked == "offer" and learnt == booking:
        return _answer_offer(booking, words)
    if learnt == booking and booking.asked == "wish" and (mentions(words, _BOOKING) or mentions(words, _YES)):
        return replace(booking, asked="day")
    return learnt


def _slots(booking: Booking, words: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """Day, time and name, where these words hold them."""
    day = day_in(words)
    takes_time = booking.asked in ("day", "time", "offer") or day or mentions(words, ("morning", "afternoon", "at"))
    takes_name = booking.asked in ("name", "offer") or "name" in words
    return (
        day,
        time_in(words) if takes_time else None,
        name_in(words, is_asked=booking.asked == "name") if takes_name else None,
    )


def _answer_offer(booking: Booking, words: Sequence[str]) -> Booking:
    if mentions(words, _NO):
        return replace(booking, day=None, time=None)
    return replace(booking, is_agreed=True) if mentions(words, _YES) or "please" in words else booking


def _ask_next(booking: Booking) -> tuple[Booking, str]:
    """The next open question; the offer counts as accepted once the caller goes on to something else."""
    if not booking.day:
        booking = replace(booking, asked="day")
    elif not booking.time:
        booking = replace(booking, asked="time")
    elif not (booking.is_agreed or booking.name or booking.phone):
        booking = replace(booking, asked="offer")
    elif not booking.name:
        booking = replace(booking, asked="name")
    elif not booking.phone:
        booking = replace(booking, asked="phone")
    else:
        return _booked(booking)
    return booking, _question(booking)


def _missed(booking: Booking) -> tuple[Booking, str]:
    """Nothing understood: ask again once, then go on with less, as a person would rather than loop."""
    if booking.misses == 0:
        return replace(booking, misses=1), SORRY
    booking = replace(booking, misses=0)
    match booking.asked:
        case "day" | "time":
            day, time = _SUGGESTION
            return _ask_next(replace(booking, day=booking.day or day, time=booking.time or time))
        case "offer":
            return _ask_next(replace(booking, is_agreed=True))
        case "name":
            return replace(booking, asked="phone"), _QUESTIONS["phone"]
        case "phone":
            return _booked(booking)
        case _:
            return booking, _question(booking)


def _booked(booking: Booking) -> tuple[Booking, str]:
    thanks = f"Thank you, {booking.name}." if booking.name else "Thank you."
    done = replace(booking, asked="more")
    return done, f"{thanks} You are booked for {_when(booking)}. {ANYTHING_ELSE}"


def _question(booking: Booking) -> str:
    if booking.asked == "offer":
        return f"I have {_when(booking)}. Is that good for you?"
    return _QUESTIONS[booking.asked]


def _when(booking: Booking) -> str:
    day = booking.day or _SUGGESTION[0]
    shown = day if day in ("today", "tomorrow") else day.capitalize()
    return f"{shown} at {booking.time or _SUGGESTION[1]}"
