"""/billing: what an organization has, every movement of it, and credit given by administrators of the installation."""

from decimal import Decimal
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Query, Response
from pydantic import ConfigDict, Field

from models.document import Id, Model, Time
from models.ledger import Entry, EntryKind
from models.money import MICROS_PER_CREDIT, to_credits
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Maybe, Pagination, Success
from serve_app.idempotency import Idempotent
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.billing import Balance, CreditKind
from services.principal import Principal

router = APIRouter(prefix="/billing", tags=["billing"])

Reader = Annotated[Principal, Depends(allowed("billing:read"))]
Creditor = Annotated[Principal, Depends(allowed("credits:write"))]

MAX_CREDITS = 1_000_000


class BalanceResource(Model):
    """In credits. `held` is set aside for live calls; what is `available` pays for new ones."""

    balance: float
    held: float
    available: float
    entry: Annotated[int, Field(description="Number of the last ledger entry in these figures")]
    updated_at: Maybe[Time] = None

    @classmethod
    def of(cls, balance: Balance) -> Self:
        """As the API shows it."""
        return cls(
            balance=to_credits(balance.balance_micros),
            held=to_credits(balance.held_micros),
            available=to_credits(balance.balance_micros - balance.held_micros),
            entry=balance.entry,
            updated_at=balance.as_of,
        )


class EntryResource(Model):
    """One movement, in credits: `amount` moved the balance, `held` what is set aside; then what they came to."""

    id: Annotated[str, Field(alias="_id")]
    number: int
    type: EntryKind
    amount: float
    held: float
    balance: float
    available: float
    call_id: Maybe[str] = None
    reason: Maybe[str] = None
    created_by: Maybe[str] = None
    created_at: Time

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """As the API shows it."""
        return cls(
            id=entry.id,
            number=entry.number,
            type=entry.kind,
            amount=to_credits(entry.amount_micros),
            held=to_credits(entry.held_micros),
            balance=to_credits(entry.balance_micros),
            available=to_credits(entry.available_micros),
            call_id=entry.call_id,
            reason=entry.reason or None,
            created_by=entry.created_by,
            created_at=entry.created_at,
        )


class GiveCredit(Model):
    """Credit for an organization, by default one's own; a refund gives back some of what a call was charged."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"type": "top-up", "amount": 25, "reason": "Invoice 2024-117"},
                {"type": "refund", "amount": 0.05, "callId": "64f8a1b2c3d4e5f6a7b8c9d3", "reason": "Bad line"},
            ]
        }
    )
    type: CreditKind = "top-up"
    amount: Annotated[Decimal, Field(gt=0, le=MAX_CREDITS, decimal_places=6, description="Credits")]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    organization_id: Annotated[str | None, Field(max_length=100)] = None
    call_id: Annotated[str | None, Field(max_length=100)] = None


class BalanceData(Model):
    """`data` of the balance."""

    balance: BalanceResource


class EntryData(Model):
    """`data` with one entry."""

    entry: EntryResource


class LedgerData(Model):
    """`data` with a page of entries."""

    entries: list[EntryResource]
    pagination: Pagination


@router.get("/balance", responses=fails_with(401, 403, 429))
async def get_balance(caller: Reader, services: Provided) -> Success[BalanceData]:
    """What the organization has, and what of it is set aside for live calls."""
    return Success(data=BalanceData(balance=BalanceResource.of(await services.billing.balance(caller))))


@router.get("/ledger", responses=fails_with(400, 401, 403, 429))
async def list_entries(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    type: EntryKind | None = None,
    call_id: Annotated[str | None, Query(alias="callId", max_length=100)] = None,
) -> Success[LedgerData]:
    """Every movement of the organization's credit, newest first."""
    found = await services.billing.ledger(caller, kind=type, call_id=call_id, page=page, limit=limit)
    entries = [EntryResource.of(entry) for entry in found.items]
    return Success(data=LedgerData(entries=entries, pagination=Pagination.of(found)))


@router.post(
    "/credits",
    status_code=201,
    response_model=Success[EntryData],
    responses=fails_with(400, 401, 403, 404, 409, 422, 429, 503),
)
async def give_credit(body: GiveCredit, caller: Creditor, once: Idempotent, services: Provided, now: Now) -> Response:
    """Top an organization up or refund a call; for administrators of the installation."""

    async def give(key: Id) -> Success[EntryData]:
        entry = await services.billing.credit(
            caller,
            key=key,
            organization_id=body.organization_id,
            kind=body.type,
            amount_micros=int(body.amount * MICROS_PER_CREDIT),
            call_id=body.call_id,
            reason=body.reason,
            now=now,
        )
        return Success(data=EntryData(entry=EntryResource.of(entry)))

    return await once(give)
