"""How an agent takes turns, waits, and meets a machine: the parts of its configuration that shape a conversation."""

from typing import Annotated, Literal

from pydantic import Field

from models.document import Model

Sentence = Annotated[str, Field(min_length=1, max_length=300)]
Milliseconds = Annotated[int, Field(ge=100, le=5000)]


class TurnTaking(Model):
    """When the caller has finished, and what is prepared before that is certain.

    The silence that ends a turn depends on the words before it: `end_complete_ms` after text that reads complete,
    `end_incomplete_ms` after text that plainly does not, `end_ms` otherwise. `speculation` recognises at the first
    pause already; `preemption` thinks and voices before the turn is over.
    """

    end_ms: Milliseconds = 550
    end_complete_ms: Milliseconds = 350
    end_incomplete_ms: Milliseconds = 900
    learns_pauses: bool = True
    """Wait longer for a caller who pauses within sentences, shorter for one who does not."""
    speculation: bool = True
    preemption: bool = True
    acknowledge_after_ms: Annotated[int, Field(ge=0, le=10_000)] = 1500
    """An answer later than this is announced by one of `acknowledgements`; 0: never."""
    acknowledgements: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=8)] = (
        "One moment, please.",
        "Just a second.",
        "I am still looking.",
    )


class Interruption(Model):
    """What stops the agent. Words the caller says are recognised and kept in any case."""

    enabled: bool = True
    """False: the agent finishes its sentence, then answers what was said meanwhile."""
    backchannels: Annotated[tuple[Sentence, ...], Field(max_length=50)] = ()
    """What listeners say without wanting the floor, in lower case; empty: the language's usual ones."""


class Silence(Model):
    """What the agent does when nobody speaks. 0 reprompts: it says goodbye after the first wait."""

    reprompt_after_s: Annotated[float, Field(ge=2, le=120)] = 10.0
    reprompts: Annotated[int, Field(ge=0, le=10)] = 2
    reprompt: Sentence = "Are you still there?"
    goodbye: Sentence = "I cannot hear anybody, so I will hang up now. Goodbye."


AnsweredBy = Literal["human", "machine-ivr", "machine-voicemail", "unavailable", "uncertain"]


class Voicemail(Model):
    """What to do when a machine answers an outbound call. `ignore` talks to it as to a person."""

    action: Literal["ignore", "hangup", "leave-message"] = "ignore"
    message: Annotated[str, Field(max_length=1000)] = ""
    """Said after the beep; empty: the agent's first message."""
