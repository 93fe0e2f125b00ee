"""What a writer's accounts have set aside for calls under way, added up from the entries it writes. Pure.

An account counts from its first entry since the writer started: a live call makes one every 30 seconds (`holding`), so
a restarted writer knows the whole within that time, and asks the database for nothing.
"""

from models.document import Id
from models.ledger import Entry


class Held:
    """The sum over all accounts that hold anything."""

    def __init__(self) -> None:
        self._accounts: dict[Id, int] = {}
        self._total = 0

    def after(self, entry: Entry) -> int:
        """The sum once this entry is written, in micro-credits."""
        held = entry.total_held_micros
        self._total += held - self._accounts.pop(entry.organization_id, 0)
        if held:
            self._accounts[entry.organization_id] = held
        return self._total
