"""What the demonstration's callers do, and what meets an agent that dials out, by name.

The shipped demonstration Whisper knows about 350 words (tools/demo_whisper/phrases.py), what these machines say among
them. The scripts whose names end in `_plain` are machines that do not say they are.
"""

from simulators.caller import HangUp, Interrupt, Play, Say, SayWithPauses, Script, StaySilent, Step, WaitForAgent

BEEP_S = 0.4
_LISTENS_S = 25.0
"""How long a machine records before it hangs up."""


def _conversation(*lines: str | Step) -> tuple[Step, ...]:
    """Each text is said once the agent has finished; other steps as they are."""
    steps: list[Step] = []
    for line in lines:
        steps.extend((WaitForAgent(), Say(line)) if isinstance(line, str) else (line,))
    return (*steps, WaitForAgent(), HangUp())


def voicemail(*greeting: str, pauses_s: tuple[float, ...] = (), listens_s: float = _LISTENS_S) -> Script:
    """Picks up, plays a greeting at once, beeps, records and hangs up."""
    pauses = pauses_s or (0.4,) * (len(greeting) - 1)
    steps = (
        StaySilent(0.4),
        SayWithPauses(greeting, pauses),
        StaySilent(0.6),
        Play("beep", BEEP_S, dbfs=-18.0),
        StaySilent(listens_s),
        HangUp(),
    )
    return Script(steps, voice="en-us+f4", words_per_min=170)


def announcement(*pieces: str, times: int = 3, pause_s: float = 1.5) -> Script:
    """The network's recorded voice: the same words again and again, then the line drops."""
    steps = (SayWithPauses(pieces, (0.3,) * (len(pieces) - 1)), StaySilent(pause_s)) * times
    return Script((StaySilent(0.3), *steps, HangUp()), voice="en-us+f1", words_per_min=150)


def menu(*pieces: str, times: int = 3, wait_s: float = 4.0) -> Script:
    """A company's machine: reads its menu, waits for a key, reads it again, hangs up."""
    steps = (SayWithPauses(pieces, (0.5,) * (len(pieces) - 1)), StaySilent(wait_s)) * times
    return Script((StaySilent(0.5), *steps, HangUp()), voice="en-us+f2", words_per_min=165)


_OPENING = (
    "Hello, I would like to book an appointment.",
    "Tuesday, please.",
    "Three in the afternoon.",
    "Yes, please.",
    "My name is Maria.",
    "five five five, one two three four",
)
_CLOSING = "No, thank you. Goodbye."
_HUMAN = (StaySilent(0.5), Say("hello"), *_conversation("yes please", "no thank you goodbye"))

SCRIPTS = {
    "demo": Script(_conversation(*_OPENING, Interrupt("How much does it cost?", after_s=1.2), _CLOSING)),
    "booking": Script(_conversation(*_OPENING, _CLOSING)),
    "human": Script(_HUMAN),
    "voicemail": voicemail(
        "you have reached the voice mailbox of maria",
        "please leave a message after the tone",
    ),
    "voicemail_plain": voicemail(
        "hello this is maria", "i am busy and can not come to the phone", "please send a message and i will call you"
    ),
    "ivr": menu(
        "thank you for calling the demo clinic",
        "press one for an appointment",
        "press two for your bill",
        "press three to speak to a human",
    ),
    "not_in_service": announcement("the number you have dialled is not in service", "please check the number"),
    "not_in_service_plain": announcement("the number is not available", "please call again later"),
}
