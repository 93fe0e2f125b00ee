"""A login: the family of tokens that began with one password."""

from models.document import Document, Id, Time


class Session(Document):
    """The family's present refresh token is the one of `generation` whose id is `token_id`."""

    organization_id: Id
    user_id: Id
    generation: int = 0
    token_id: str
    expires_at: Time
    """When the present refresh token expires; its successor, once used, has a lifetime of its own."""
    revoked_at: Time | None = None
