"""The small words by which completeness.py reads whether a sentence can end here. English, and fillers elsewhere."""

from collections.abc import Mapping


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


FILLERS: Mapping[str, frozenset[str]] = {
    "en": _set("uh um uhm uhh umm hm hmm er erm ah eh"),
    "es": _set("eh em este pues o sea"),
    "fr": _set("euh heu hum ben bah alors donc"),
    "de": _set("äh ähm öh hm hmm also tja"),
    "hi": _set("um uh hmm matlab woh yaani मतलब वो यानी तो"),
}
"""Last words that say: I am still thinking."""

TRAILING: Mapping[str, frozenset[str]] = {
    "es": _set("y e o u pero porque que si de del a al en con por para sin el la los las un una mi mis su sus es son"),
    "fr": _set(
        "et ou mais parce que de du des à au aux en avec pour sans le la les un une mon ma mes votre vos est je il"
    ),
    "de": _set("und oder aber weil dass wenn der die das den dem ein eine einen mein meine von zu mit für ist ich um"),
    "hi": _set("aur ya lekin magar kyunki ki ke ka ko se mera meri mere और या लेकिन मगर क्योंकि कि के का को से मेरा मेरी मेरे"),
}
"""Last words after which a sentence goes on."""

ARTICLES = _set("a an the my your our their its his every each another")
CONJUNCTIONS = _set("and but or because cause if unless whether than although while plus since nor as")
PREPOSITIONS = _set(
    "to at for of with from by about into onto until till between during per via near under against towards"
    " on in after before around past"
)
AUXILIARIES = _set(
    "is am are was were be been being can could will would should shall may might must do does did have has had"
    " i'm i'd i'll i've we're we'd we'll we've you're you'll they're he's she's it's there's what's where's when's"
    " who's how's that'll it'll don't doesn't didn't can't couldn't won't wouldn't shouldn't isn't aren't wasn't cannot"
    " gonna not let's"
)
SUBJECTS = _set("i he she we they")
OPENERS = _set(
    "very really quite next double triple half quarter mister mr mrs ms thank some last which whose whats"
    " still just also only maybe perhaps actually basically"
)
"""Adverbs and the like that something must follow."""
MODIFIERS = _set(
    "new old wrong right same different other earlier later credit opening closing working billing tracking mailing"
)
"""After an article or a possessive these want their noun."""
TRANSITIVES = _set(
    "want need like book cancel change make get have send tell give take find move reschedule schedule bring"
    " buy see say ask know let put use check confirm repeat update speak talk try come going go pay paid call"
    " got bought hear calling trying looking wondering asking talking thinking hoping"
    " wanted told prefer accept return include includes expect contact wondered asked tried received"
)
"""Verbs whose object or goal is usually still to come."""

GIVING = _set("let send give tell transfer show bring read text email get make")
"""Verbs that "me" does not finish."""

WH_WORDS = _set("what what's where where's when when's who who's whom whose which why why's how how's")
OBJECT_WH = _set("what which who whom")
"""Question words that stand for the object: "what do you need"."""
MOVING = _set("take come go pay try call")
"""Verbs that other questions may end in as well: "how long will it take"."""
INVERTERS = _set("is are am was were can could will would should shall may might must do does did have has had "
                 "don't doesn't didn't can't couldn't won't wouldn't isn't aren't")  # fmt: skip
"""First words of a question that asks for yes or no."""
PRONOUNS = _set(
    "i you he she it we they this that there these those anyone anybody someone somebody nobody"
    " everyone everybody everything nothing neither either both all"
)
GREETINGS = _set("hello hi hey okay ok yes yeah yep no nope well so oh sorry sure right alright and but please good"
                 " thanks great uh um hmm")  # fmt: skip
"""What may stand before a sentence without being part of it."""

WEEKDAYS = _set(
    "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays"
)
MONTHS = _set("january february march april may june july august september october november december")
ORDINALS = _set(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth thirtieth"
)
NUMBERS = _set(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
NO_NAMES = PREPOSITIONS | ARTICLES | TRANSITIVES | NUMBERS
"""What follows "it is" or "i'm" and is not somebody's name."""
DAYPARTS = _set(
    "morning afternoon evening night noon ago midday midnight today tomorrow tonight week month year weekend"
)
CLOCK = _set("o'clock oclock am pm half past quarter thirty fifteen forty")
TEMPORAL_GLUE = _set("the of at on in next this last day after a an p m or to for around about maybe how half past")
CURRENCIES = _set("dollar dollars rupee rupees pound pounds euro euros cent cents percent")

NOT_DIGITS = WEEKDAYS | MONTHS | DAYPARTS | CURRENCIES | _set("o'clock pm am second seconds moment minute minutes of")
"""Words that make the numbers beside them a date, a price or a figure of speech."""
BEFORE_ONE = _set(
    "have the this that a no got another which need new old other last first right wrong same each blue red"
)
"""Words after which "one" is no digit: "i don't have one"."""
CONSENT = _set("yes yeah yep sure okay ok right alright certainly of course so well hello hi")
"""Said before the number that was asked for."""
ELLIPTIC = _set("yes yeah yep no nope")
"""Before a subject and an auxiliary these make an answer: "yes it is"."""
YES_NO = _set("yes yeah yep yup no nope nah okay ok sure correct right absolutely definitely exactly fine perfect"
              " great alright certainly hello hi hey bye goodbye thanks stop wait pardon sorry what"
              " why")  # fmt: skip
"""Whole answers of one word."""
IMPERATIVES = _set("please send call speak transfer press give tell cancel book change make repeat check wait stop put"
                   " let not do one connect")  # fmt: skip
"""First words of an order or a request."""
STATING = _set("works work sounds suits costs expired arrived broke happened came closed stopped looks seems needs")
"""Verbs, besides auxiliaries, of statements about a thing."""
CLOSERS = _set("please thanks goodbye bye")
WHOLE = frozenset(
    (
        "who's this", "nothing else", "no nothing else", "no one", "that would be all",
        "thank you", "thank you very much", "thank you so much", "that is all", "that's all", "that is it",
        "that's it", "hold on", "hang on", "of course", "not now", "no problem", "never mind", "just a moment",
        "one moment", "hi there", "good morning", "good afternoon", "good evening", "good night", "maybe later",
        "i do not know", "i don't know", "not yet", "not really", "i think so", "i hope so", "i guess so", "why not",
        "of course not", "sounds good", "not at all", "all right", "go ahead", "that works", "who is this",
        "what is it", "what was that", "how come", "me too", "how are you", "no it is not", "no it isn't",
        "no i don't", "no i do not", "no i am not", "no i didn't", "speak up", "come on", "right now", "as well",
        "very well", "i am here", "i'm here", "no one", "nothing", "none", "everything", "that is not right",
        "that is correct", "that's correct", "that is right", "that's right", "that is fine", "that's fine",
        "that is great", "that's great", "that is good", "it does not",
    )
)  # fmt: skip
"""Whole answers of several words."""
