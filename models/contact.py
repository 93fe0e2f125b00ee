"""Whom a campaign calls, and whom nobody may call."""

from typing import Annotated, Literal

from pydantic import Field

from models.document import Document, Id, Model, Time

ContactState = Literal["pending", "dialing", "done"]
WITHDRAWN = "withdrawn"
"""How a contact ends whom somebody took out of the campaign."""


class Attempt(Model):
    """One dial. `number` counts a contact's attempts from 1; `outcome` is None while the call goes on.

    It is written before anybody is dialled, with the id the call is going to have: whoever finds it later can look the
    call up, and nobody has to dial again to learn what became of it.
    """

    number: Annotated[int, Field(ge=1)]
    call_id: Id
    at: Time
    outcome: str | None = None


class Claim(Model):
    """Who is about to dial, and since when. `token` is of one act of claiming, which may take many contacts."""

    runner: str
    token: str
    at: Time


class Contact(Document):
    """A person in a campaign, found once by `number` (E.164).

    `time_zone`: an IANA name; None: unknown, and then nobody calls. `variables`: what the file says about them, for
    prompts and messages. `state`: "pending" waits for `next_at`, "dialing" belongs to `claim`, "done" has a `final`.
    """

    organization_id: Id
    campaign_id: Id
    import_id: Id | None = None
    """Which import brought the contact."""
    line: int = 0
    """Where in that import's file: a line, a spreadsheet's row or the place in a list, from 1."""
    number: str
    time_zone: str | None = None
    variables: dict[str, str] = Field(default_factory=dict)
    consent: bool = False
    state: ContactState = "pending"
    attempts: tuple[Attempt, ...] = ()
    next_at: Time | None = None
    """Not to be dialled before; a pending contact has one."""
    refusal: str | None = None
    """Why the contact was last not dialled although it was due."""
    claim: Claim | None = None
    final: str | None = None
    """How it ended: the last outcome, or why nobody called."""

    @property
    def open_attempt(self) -> Attempt | None:
        """The attempt whose call goes on, as far as is known."""
        return next((attempt for attempt in self.attempts if attempt.outcome is None), None)


class DncEntry(Document):
    """A number (E.164) that is not to be called: by this organization, or by nobody here where that is None.

    `added_by`: the user; None: the product itself.
    """

    organization_id: Id | None
    number: str
    reason: Annotated[str, Field(max_length=200)] = ""
    added_by: Id | None = None
