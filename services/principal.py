"""Who asks: what authentication makes of a request, and all that services know of it."""

from dataclasses import dataclass

from models.document import Id


@dataclass(frozen=True, slots=True)
class Principal:
    """A user acting for the organization that owns whatever is touched."""

    user_id: Id
    organization_id: Id
    role: str
