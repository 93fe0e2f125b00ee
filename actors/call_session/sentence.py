"""English sentences without punctuation: can one end here, and is this a whole one? Rules over word lists. Pure.

Words are those of words.folded. Nothing is parsed: each rule names the evidence it goes by.
"""

import re

from actors.call_session import lexicon as lex

Words = list[str]

_TIME_QUESTION = re.compile(
    r"\b(?:when|what time|which day|what day|what date|which date|which time|would you like \w+ or)\b"
)
_COUNT_QUESTION = re.compile(r"\bhow (?:many|much|old|long|often)\b")
_NAME_QUESTION = re.compile(
    r"\byour (?:full |first |last )?name\b|\bwho am i speaking\b|\bwho is (?:calling|this|speaking)\b"
)
_NAMED = re.compile(r"^(?:my name is|my name's|this is|i am called|it is|it's|i'm|speaking with) ")
_STRANDED = re.compile(r"(?:ing|\bit|\bthis|\bthat|\byou|\bi)$")
_PARTICLES = {("hold", "on"), ("hang", "on"), ("go", "on"), ("carry", "on"), ("later", "on")}
_SO = frozenset(("think", "hope", "guess", "suppose", "believe"))


def is_dangling(words: Words) -> bool:
    """Whether the last word cannot end a sentence: a filler, conjunction, article, preposition, auxiliary, subject."""
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in lex.FILLERS["en"] or last in lex.ARTICLES or last in lex.CONJUNCTIONS or last in lex.SUBJECTS:
        return (before, last) not in {("a", "a")}
    if last in ("so", "like", "well"):
        return _is_filler(words)
    if last in lex.PREPOSITIONS:
        return (before, last) not in _PARTICLES and not _is_stranded(words)
    if last == "may" and (before in lex.ORDINALS or before in ("of", "in", "next", "on")):
        return False
    if last in lex.AUXILIARIES or last in lex.OPENERS:
        return not (words[0] in lex.ELLIPTIC and len(words) == 3 and before in lex.PRONOUNS)
    if last in ("it", "you", "that", "this", "there"):
        return _opens_clause(words)
    return (last == "p" or last == "a") and before in lex.NUMBERS


def is_whole(words: Words) -> bool:
    """Whether this is a fixed phrase that is an answer by itself, or ends with words that close a turn."""
    if len(words) == 1:
        return words[0] in lex.YES_NO
    bare = _without_greeting(words)
    if set(words) <= lex.YES_NO or (len(bare) == 1 and bare[0] in lex.YES_NO):
        return True
    if " ".join(words) in lex.WHOLE or " ".join(bare) in lex.WHOLE:
        return True
    closes = (
        words[-1] in lex.CLOSERS or words[-2:] == ["thank", "you"] or words[-2:] in (["that's", "all"], ["is", "all"])
    )
    return closes or words[-1] == "correct" or (not bare and words[-1] in lex.YES_NO)


def is_answer(words: Words, question: str) -> bool:
    """Whether this answers what was asked: a time or a date when asked for one, a name when asked for one."""
    bare = _without_greeting(words)
    text = " ".join(bare)
    if named := _NAMED.match(text + " "):
        name = text[named.end() :].split()
        return 1 <= len(name) <= 3 and not any(word in lex.NO_NAMES or word.endswith("ing") for word in name)
    if _COUNT_QUESTION.search(question.lower()) and len(bare) <= 4:
        return bool(set(bare) & lex.NUMBERS) or any(word[0].isdigit() for word in bare)
    if is_temporal(bare):
        return asks_when(question) or _is_full_time(bare)
    return bool(_NAME_QUESTION.search(question.lower())) and len(bare) <= 3 and bool(bare)


def is_temporal(words: Words) -> bool:
    """Whether this is nothing but a day, a date or a time, and a whole one: "the third of" is not."""
    content = lex.WEEKDAYS | lex.MONTHS | lex.ORDINALS | lex.NUMBERS | lex.DAYPARTS | lex.CLOCK
    allowed = content | lex.TEMPORAL_GLUE
    ends = bool(words) and (words[-1] in content or words[-1] == "m" or words[-1][0].isdigit())
    is_month_alone = ends and words[-1] in lex.MONTHS and not _has_number(words)
    return ends and not is_month_alone and all(word in allowed or word[0].isdigit() for word in words)


def is_sentence(words: Words) -> bool:
    """Whether this is a whole question or statement: a subject, a verb and an end that leaves nothing open."""
    bare = _without_greeting(words)
    if len(bare) < 2 or _needs_more(bare):
        return False
    if bare[0] in lex.WH_WORDS:
        return _is_wh_question(bare)
    if bare[0] in lex.INVERTERS:
        return _is_yes_no_question(bare)
    return _is_statement(bare)


def asks_when(question: str) -> bool:
    """Whether the question asks for a day, a date or a time."""
    return bool(_TIME_QUESTION.search(question.lower()))


def is_number_talk(words: Words) -> bool:
    """Whether the digits in it are read out and not part of another sentence, such as a date or a price."""
    is_pronoun = words[-1] == "one" and len(words) > 1 and words[-2] in lex.BEFORE_ONE
    return not is_pronoun and not set(words) & lex.NOT_DIGITS


def _needs_more(words: Words) -> bool:
    """Whether the last word calls for another: a verb for its object, a number for its unit, a month for its day."""
    last, before = words[-1], words[-2]
    if last in lex.TRANSITIVES:
        objects_asked_for = lex.WH_WORDS if last in lex.MOVING else lex.OBJECT_WH
        return words[0] not in objects_asked_for or len(words) < 4
    if last in lex.NUMBERS and not (last == "one" and before in lex.BEFORE_ONE):
        return not {"at", "past", "around", "until"} & set(words[-4:-1])
    if last in lex.MONTHS:
        return not _has_number(words) and before not in ("in", "next", "until")
    if last in ("when", "where", "who", "what"):
        return True
    if last == "any":
        return words[0] in lex.INVERTERS
    if last == "me":
        return before in lex.GIVING
    if before in lex.ARTICLES:
        return last in lex.MODIFIERS or last == "day"
    return last == "this" and before in lex.PREPOSITIONS and words[0] not in lex.WH_WORDS


def _is_wh_question(words: Words) -> bool:
    if words[:2] in (["how", "about"], ["what", "about"]):
        return len(words) > 2
    has_verb = any(word in lex.INVERTERS for word in words[1:]) or "'s" in words[0]
    return has_verb and len(words) >= 3


def _is_yes_no_question(words: Words) -> bool:
    """An auxiliary, a subject and a predicate; "is monday at three" still lacks the last."""
    if words[0] in ("is", "are", "was", "were"):
        rest = words[2:] if words[1] in lex.PRONOUNS else words[3:] if words[1] in lex.ARTICLES else words[2:]
        return bool(rest) and not (words[1] not in lex.PRONOUNS and is_temporal(words[1:]))
    return len(words) >= 3


def _is_statement(words: Words) -> bool:
    if words[0] in lex.IMPERATIVES:
        return len(words) >= 2
    if is_temporal(words[:1]) or words[0] in lex.MONTHS or words[0] in ("at", "the", "half", "next", "this"):
        return _states(words) and len(words) >= 3
    if words[0] in lex.ARTICLES:
        return len(words) >= 4 and _states(words[2:])
    return len(words) >= 3 and (words[0] in lex.PRONOUNS or "'" in words[0])


def _has_number(words: Words) -> bool:
    return bool(set(words) & (lex.ORDINALS | lex.NUMBERS)) or any(word[0].isdigit() for word in words)


def _states(words: Words) -> bool:
    """Whether a verb comes before the last word."""
    return any(word in lex.AUXILIARIES or word in lex.STATING or word.endswith("ed") for word in words[:-1])


def _is_full_time(words: Words) -> bool:
    """A day with a time, or a time with its half of the day: more than a fragment."""
    has_day = bool(set(words) & (lex.WEEKDAYS | lex.MONTHS | {"today", "tomorrow"}))
    has_clock = bool(set(words) & (lex.NUMBERS | lex.CLOCK)) or any(word[0].isdigit() for word in words)
    has_half = words[-1] in ("morning", "afternoon", "evening", "night", "m", "am", "pm", "o'clock")
    return (has_day and has_clock) or (has_clock and has_half) or (has_day and has_half)


def _without_greeting(words: Words) -> Words:
    """The words after hello, yes, well and the like."""
    start = next((at for at, word in enumerate(words) if word not in lex.GREETINGS), len(words))
    return words[start:]


def _opens_clause(words: Words) -> bool:
    """Whether the pronoun at the end is the subject of something still to come."""
    before = words[-2] if len(words) > 1 else ""
    is_first = len(_without_greeting(words)) == 1
    is_inverted = before in lex.INVERTERS and (before not in ("is", "are", "was") or words[0] not in lex.WH_WORDS)
    return is_first or is_inverted or before in lex.CONJUNCTIONS


def _is_stranded(words: Words) -> bool:
    """Whether a question word took the preposition's object to the front: "where are you calling from"."""
    bare = _without_greeting(words)
    return bool(bare) and bare[0] in lex.WH_WORDS and len(bare) > 3 and bool(_STRANDED.search(bare[-2]))


def _is_filler(words: Words) -> bool:
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "so":
        return before not in _SO
    if last == "well":
        return not before or before in lex.GREETINGS
    return words[0] not in lex.WH_WORDS
