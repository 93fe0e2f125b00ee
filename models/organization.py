"""Who owns everything and pays for it."""

from models.document import Document


class Organization(Document):
    """Its credit is in the ledger."""

    name: str = ""
