"""What a listener says without wanting the floor, and what says "stop". Pure.

Both are judged on the words alone, while the agent speaks. Languages without a table know the noises only.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from actors.call_session.words import folded

Phrase = tuple[str, ...]

NOISES = (
    "mhm", "mmhm", "mm", "mmm", "mm hm", "mm hmm", "mhmm", "hm", "hmm", "hmmm", "uh huh", "uhuh", "uhhuh", "aha", "ah",
    "oh", "ooh", "uh", "um", "ok", "okay", "okey",
)  # fmt: skip
"""Understood everywhere."""

BACKCHANNELS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "yes", "yeah", "yep", "yup", "yea", "ya", "right", "sure", "alright", "all right", "i see", "i know", "got it",
        "gotcha", "great", "good", "nice", "fine", "cool", "perfect", "wonderful", "exactly", "indeed", "true",
        "of course", "okay then", "oh okay", "i understand", "understood", "makes sense", "that makes sense",
        "sounds good", "very good", "very well", "that is right", "that's right", "that is fine", "that's fine",
        "that is good", "that's good", "really", "interesting", "no problem", "no worries", "absolutely", "definitely",
        "oh i see", "ah i see", "wow",
    ),
    "es": ("sí", "si", "claro", "vale", "bueno", "bien", "ya", "ajá", "aja", "entiendo", "de acuerdo", "exacto",
           "ya veo", "muy bien", "perfecto", "eso es", "cierto", "está bien", "claro que sí"),
    "fr": ("oui", "ouais", "d'accord", "voilà", "voila", "bien", "bien sûr", "je vois", "je comprends", "très bien",
           "entendu", "parfait", "exactement", "ah bon", "c'est ça", "hein"),
    "de": ("ja", "genau", "gut", "klar", "alles klar", "stimmt", "richtig", "verstehe", "ich verstehe", "aha", "ach so",
           "in ordnung", "sehr gut", "natürlich", "jawohl", "na gut", "jo"),
    "hi": ("haan", "han", "haan ji", "ji", "ji haan", "accha", "acha", "achha", "theek hai", "thik hai", "theek",
           "sahi", "sahi hai", "bilkul", "samajh gaya", "samajh gayi", "हाँ", "हां", "जी", "जी हाँ", "जी हां", "हाँ जी",
           "हां जी", "अच्छा", "ठीक है", "ठीक", "सही", "सही है", "बिल्कुल", "हम्म", "समझ गया", "समझ गयी", "समझ गई"),
}  # fmt: skip

STOPS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "stop", "wait", "hold on", "hang on", "hold up", "excuse me", "no", "nope", "pardon", "pardon me", "sorry",
        "one moment", "one second", "one minute", "just a moment", "just a second", "just a minute", "a moment",
        "a second", "give me a second", "give me a moment", "let me speak", "let me talk", "let me finish",
        "listen", "quiet", "be quiet", "shut up", "enough", "that's enough", "that is enough", "never mind",
        "nevermind", "cancel", "actually", "not now",
    ),
    "es": ("no", "para", "pare", "alto", "espera", "espere", "un momento", "un segundo", "perdón", "perdon", "perdone",
           "disculpe", "basta", "silencio", "escuche"),
    "fr": ("non", "stop", "arrêtez", "arrête", "attendez", "attends", "un moment", "un instant", "une seconde",
           "pardon", "excusez moi", "écoutez", "ça suffit"),
    "de": ("nein", "stopp", "stop", "halt", "warte", "warten sie", "moment", "einen moment", "ein moment", "sekunde",
           "entschuldigung", "genug", "hören sie"),
    "hi": ("nahi", "nahin", "ruko", "rukiye", "ruk jao", "ek minute", "ek second", "suno", "suniye", "bas",
           "maaf kijiye",
           "नहीं", "रुको", "रुकिए", "रुकिये", "रुक जाओ", "एक मिनट", "एक सेकंड", "सुनो", "सुनिए", "सुनिये", "बस", "माफ कीजिए"),
}  # fmt: skip

_NO_STOP = ("no problem", "no worries", "sorry to hear that")
"""Begin like a stop and are none."""
_SOFTENERS = frozenset(("please", "but", "and", "so", "well", "hey", "hello", "hi"))
"""May stand before a stop: "please stop", "but wait"."""


def is_backchannel(text: str, *, phrases: Sequence[str] = (), language: str = "en") -> bool:
    """Whether all of `text` is listener's noise, repeated or not. `phrases` replace the language's usual ones.

    Empty text is none, and neither is anything with a stop in it, whatever `phrases` say.
    """
    words = folded(text)
    known = _phrases(tuple(phrases)) | _phrases(NOISES) if phrases else _usual(_base(language))
    return bool(words) and not is_stop(text, language) and _is_made_of(words, known)


def is_stop(text: str, language: str = "en") -> bool:
    """Whether the caller asks for the floor: a stop phrase at the beginning, after noise and politeness at most."""
    words = folded(text)
    stops, noise = _phrases(STOPS.get(_base(language), ())), _usual(_base(language))
    while words:
        if _leading(words, _phrases(_NO_STOP)):
            return False
        if _leading(words, stops):
            return True
        skipped = _leading(words, noise) or (words[0] in _SOFTENERS)
        if not skipped:
            return False
        words = words[skipped:]
    return False


def _is_made_of(words: list[str], known: frozenset[Phrase]) -> bool:
    """Whether `words` can be cut into known phrases."""
    reached = {0}
    for start in range(len(words)):
        if start in reached:
            reached |= {start + len(phrase) for phrase in known if tuple(words[start : start + len(phrase)]) == phrase}
    return len(words) in reached


def _leading(words: list[str], known: Iterable[Phrase]) -> int:
    """How many words the longest known phrase at the beginning has."""
    return max((len(phrase) for phrase in known if tuple(words[: len(phrase)]) == phrase), default=0)


@cache
def _usual(language: str) -> frozenset[Phrase]:
    return _phrases(NOISES) | _phrases(BACKCHANNELS.get(language, ()))


@cache
def _phrases(texts: tuple[str, ...]) -> frozenset[Phrase]:
    return frozenset(phrase for text in texts if (phrase := tuple(folded(text))))


def _base(language: str) -> str:
    """The language of a tag such as en-IN."""
    return language.partition("-")[0].lower()
