"""Appends to the ledger: reads what the decision needs, decides (`book`), writes one entry.

One entry is one insert, so a crash leaves a movement entered or not, never in between. Two writers of one account
cannot both append the same number: the loser reads again and decides again. That makes several writers correct and
one writer (see `actor`) fast.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from actors.billing import book
from actors.billing.book import CallFunds, Funds, Movement
from actors.billing.held import Held
from models.document import Id
from models.errors import Conflict, CreditUnavailable, InsufficientCredits
from models.ledger import Entry
from services import meters
from stores.holds import Holds
from stores.ledger import Ledger

ATTEMPTS = 20
"""Each loses to an entry of another writer; so many in a row mean that something is wrong."""
FIRST_CHECK_S = 60.0
"""By then a call that began in order is stored, and the sweeper can see whether it lives."""

Decide = Callable[[Funds, CallFunds], Movement | None]


class LedgerWriter:
    """Satisfies `services.credit.Credit`. `step_micros` is what a call begins with."""

    def __init__(self, ledger: Ledger, holds: Holds, step_micros: int) -> None:
        self._ledger = ledger
        self._holds = holds
        self._step = step_micros
        self._turns: WeakValueDictionary[Id, asyncio.Lock] = WeakValueDictionary()
        self._held = Held()

    async def hold(self, organization_id: Id, call_id: Id, now: datetime) -> None:
        """Set aside the first minute of a call; raises InsufficientCredits."""
        await self._holds.add(organization_id, call_id, now, now + timedelta(seconds=FIRST_CHECK_S))
        try:
            await self._append(
                organization_id, lambda funds, call: book.hold(funds, call, call_id, self._step), now, call_id=call_id
            )
        except InsufficientCredits:
            await self._holds.remove(call_id)
            raise

    async def extend(self, organization_id: Id, call_id: Id, total_micros: int, now: datetime) -> bool:
        """Raise what a call holds to a total; False: the account cannot cover it."""
        try:
            await self._append(
                organization_id,
                lambda funds, call: book.extend(funds, call, call_id, total_micros),
                now,
                call_id=call_id,
            )
        except InsufficientCredits:
            return False
        return True

    async def close(self, organization_id: Id, call_id: Id, cost_micros: int, now: datetime) -> None:
        """Charge a call that is over and let go of its hold; the first word counts."""
        await self._append(
            organization_id, lambda _, call: book.close(call, call_id, cost_micros), now, call_id=call_id
        )
        await self._holds.remove(call_id)

    async def top_up(
        self, organization_id: Id, key: str, amount_micros: int, *, reason: str, by: Id | None, now: datetime
    ) -> Entry:
        """Add credit, once per key."""
        movement = book.top_up(key, amount_micros, reason, by)
        return await self._credit(organization_id, movement.key, lambda *_: movement, now, call_id=None)

    async def refund(
        self, organization_id: Id, key: str, call_id: Id, amount_micros: int, *, reason: str, by: Id, now: datetime
    ) -> Entry:
        """Give back some of a call's charge, once per key."""

        def decide(_: Funds, call: CallFunds) -> Movement:
            return book.refund(call, call_id, key, amount_micros, reason, by)

        return await self._credit(organization_id, book.refund_key(key), decide, now, call_id=call_id)

    async def _credit(
        self, organization_id: Id, key: str, decide: Decide, now: datetime, *, call_id: Id | None
    ) -> Entry:
        """The entry of this key: the one there is, or one made now."""
        made = await self._append(organization_id, decide, now, call_id=call_id, key=key)
        if made is None:
            raise CreditUnavailable("The ledger did not take an entry")
        return made

    async def _append(
        self, organization_id: Id, decide: Decide, now: datetime, *, call_id: Id | None, key: str | None = None
    ) -> Entry | None:
        """Enter what `decide` makes of account and call; None: nothing. What has the `key` already is that entry."""
        turn = self._turns.setdefault(organization_id, asyncio.Lock())
        async with turn:
            for _ in range(ATTEMPTS):
                # The account first: whatever is entered after this line takes the number we are going to ask for.
                funds = Funds.after(await self._ledger.last(organization_id))
                if key is not None and (known := await self._ledger.by_key(organization_id, key)) is not None:
                    return known
                entries = [] if call_id is None else await self._ledger.of_call(organization_id, call_id)
                movement = decide(funds, CallFunds.of(entries))
                if movement is None:
                    return None
                entry = book.entry(organization_id, funds, movement, now)
                if await self._is_entered(entry):
                    return entry
        raise CreditUnavailable("The account has too many writers")

    async def _is_entered(self, entry: Entry) -> bool:
        """Insert; False: its number or key was taken meanwhile."""
        try:
            await self._ledger.insert(entry)
        except Conflict:
            return False
        meters.count("ledger_entries_total", kind=entry.kind)
        meters.set_to("credits_held_micros", self._held.after(entry))
        return True
