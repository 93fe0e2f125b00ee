"""Who owns everything and pays for it."""

from pydantic import Field

from models.document import Document


class Organization(Document):
    """`balance_micros` is what is left; `charged` holds, per live call, what it has been charged so far.

    Charging by running total makes a repeated or late charge harmless: the balance moves by the difference only.
    """

    name: str = ""
    balance_micros: int = 0
    charged: dict[str, int] = Field(default_factory=dict)
