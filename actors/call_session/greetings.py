"""What machines say when they pick up, English. Pure."""

import re

from actors.call_session.words import folded
from models.conversation import AnsweredBy

_CANNOT_RECORD = (
    r"(?:mailbox|voicemail|voice mail|inbox) (?:is|was) (?:currently )?full",
    r"(?:has|have) not (?:been )?set up",
    r"hasn't (?:been )?set up",
    r"(?:cannot|can not|can't|unable to) accept (?:any )?(?:more |new )?messages",
)
_VOICEMAIL = (
    r"(?:leave|record) (?:me |us )?(?:a|your|any|the) (?:\w+ )?(?:message|name|number|voicemail)",
    r"(?:after|at|following) the (?:\w+ )?(?:tone|beep|signal)",
    r"(?:the|your|to|my|voice|this) (?:voicemail|mailbox|voice mail|answering machine)",
    r"(?:voice mailbox|answering service|automated voice messag\w+|automatic voice messag\w+|voice messag\w+ system)",
    r"not available to (?:take|answer|come)",
    r"(?:can't|cannot|can not|couldn't|unable to|not able to) (?:take|answer|get to|come to)"
    r" (?:your call|my phone|the phone)",
    r"(?:i'll|i will|we'll|we will) (?:get back to|call) you (?:back )?as soon as",
    r"(?:your call|you) (?:has|have) been forwarded",
)
_UNAVAILABLE = (
    r"(?:not|no longer|out of|isn't) (?:currently )?(?:in )?(?:service|working number|reachable|coverage)",
    r"switched off|turned off|powered off",
    r"(?:has|have) been (?:temporarily )?disconnected",
    r"(?:number|subscriber|person|customer|party|mobile|user) (?:that )?(?:you have|you've|you are|you're|you)"
    r" (?:dialed|dialled|called|calling|dialing|dialling|trying to (?:call|reach))"
    r" (?:is|has|does|cannot|can not|can't|was)",
    r"(?:cannot|can not|can't|could not) be (?:completed|connected|reached)",
    r"(?:check|verify) the number",
    r"(?:invalid|wrong) number dial\w*",
    r"not reachable|unreachable|out of coverage|not answering your call|network (?:is )?busy",
)
_MENU = (
    r"press (?:\d|zero|one|two|three|four|five|six|seven|eight|nine|star|pound|hash|any key)",
    r"for (?:sales|support|billing|english|customer service|technical support|accounts|reservations|all other)\b",
    r"(?:main menu|following options|menu options|options have (?:recently )?changed|your selection|make a selection)",
    r"(?:say or (?:enter|press)|please (?:say|enter)|dial) (?:your|the|an?) (?:\w+ )?"
    r"(?:extension|number|account|name|pin)",
    r"party's extension|dial by name",
    r"your call is (?:very )?important|calls? (?:may|will) be (?:recorded|monitored)|stay on the line|estimated wait",
    r"(?:state|say|record) your name and (?:the )?reason|reason for (?:your call|calling)",
    r"para espa\u00f1ol|para espanol",
)

_GROUPS: tuple[tuple[AnsweredBy, tuple[str, ...]], ...] = (
    ("unavailable", _CANNOT_RECORD),
    ("machine-voicemail", _VOICEMAIL),
    ("unavailable", _UNAVAILABLE),
    ("machine-ivr", _MENU),
)
"""In order of evidence: a network's "is not available" may still lead to a voicemail, a voicemail may offer keys."""
_TABLE = tuple((speaker, re.compile(rf"\b(?:{'|'.join(patterns)})")) for speaker, patterns in _GROUPS)


def spoken_by(text: str) -> AnsweredBy | None:
    """The kind of machine that says this; None when people might."""
    words = " ".join(folded(text))
    return next((speaker for speaker, pattern in _TABLE if pattern.search(words)), None)
