"""What the demonstration's callers do, by name."""

from simulators.caller import HangUp, Interrupt, Say, Script, Step, WaitForAgent


def _conversation(*lines: str | Step) -> tuple[Step, ...]:
    """Each text is said once the agent has finished; other steps as they are."""
    steps: list[Step] = []
    for line in lines:
        steps.extend((WaitForAgent(), Say(line)) if isinstance(line, str) else (line,))
    return (*steps, WaitForAgent(), HangUp())


_OPENING = (
    "Hello, I would like to book an appointment.",
    "Tuesday, please.",
    "Three in the afternoon.",
    "Yes, please.",
    "My name is Maria.",
    "five five five, one two three four",
)
_CLOSING = "No, thank you. Goodbye."

SCRIPTS = {
    "demo": Script(_conversation(*_OPENING, Interrupt("How much does it cost?", after_s=1.2), _CLOSING)),
    "booking": Script(_conversation(*_OPENING, _CLOSING)),
}
