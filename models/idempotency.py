"""A request that must happen once, however often it is sent."""

from models.document import Document, Id, Model, Time


class KeptAnswer(Model):
    """What was answered: the HTTP status and the JSON body, which holds no secret."""

    status: int
    body: str


class IdempotentRequest(Document):
    """A request under a key of its client's; its `_id` is `<organization>:<key>`.

    `reserved_id` is the id of what the request makes, the same in every attempt. `attempt` names who runs it,
    `attempted_at` since when; None: nobody does. With an `answer` it is finished.
    """

    organization_id: Id
    fingerprint: str
    """Of method, path and body: another request must not come under the same key."""
    reserved_id: Id
    attempt: Id
    attempted_at: Time | None
    answer: KeptAnswer | None = None
