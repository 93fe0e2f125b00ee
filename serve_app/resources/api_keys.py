"""/api-keys: ways in for programs. A key is shown once, when it is made."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field

from models.api_key import ApiKey, Scope
from models.document import Model, Time
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal

router = APIRouter(prefix="/api-keys", tags=["api-keys"])

Reader = Annotated[Principal, Depends(allowed("keys:read"))]
Writer = Annotated[Principal, Depends(allowed("keys:write"))]


class CreateKey(Model):
    """A new key. It acts as its maker, as far as the scope goes.

    `read`: look at agents, phones, calls and billing. `write`: change agents and phones and place calls, too.
    `admin`: whatever its maker may do, except to change passwords and to log out. `rate_limit`: requests per window.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "CRM", "scope": "write", "rateLimit": 1000}]},
    )
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scope: Scope
    rate_limit: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class KeyResource(Model):
    """A key as lists show it; `prefix` is how it begins."""

    id: Annotated[str, Field(alias="_id")]
    user_id: str
    name: str
    scope: Scope
    prefix: str
    rate_limit: Maybe[int] = None
    last_used_at: Maybe[Time] = None
    created_at: Time
    key: Maybe[str] = None
    """The key itself; only in the answer that makes it."""

    @classmethod
    def of(cls, key: ApiKey, secret: str | None = None) -> Self:
        """As the API shows it."""
        return cls(
            id=key.id,
            user_id=key.user_id,
            name=key.name,
            scope=key.scope,
            prefix=key.prefix,
            rate_limit=key.rate_limit,
            last_used_at=key.last_used_at,
            created_at=key.created_at,
            key=secret,
        )


class KeyData(Model):
    """`data` with one key."""

    api_key: KeyResource


class KeysData(Model):
    """`data` with a page of keys."""

    api_keys: list[KeyResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_keys(
    caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[KeysData]:
    """The organization's keys, newest first."""
    found = await services.keys.page(caller, page=page, limit=limit)
    keys = [KeyResource.of(key) for key in found.items]
    return Success(data=KeysData(api_keys=keys, pagination=Pagination.of(found)))


@router.post("", status_code=201, responses=fails_with(400, 401, 403))
async def create_key(body: CreateKey, caller: Writer, services: Provided, now: Now) -> Success[KeyData]:
    """Make a key. `key` in the answer is shown this once; send it as `Authorization: Bearer cb_...`."""
    made = await services.keys.create(caller, name=body.name, scope=body.scope, rate_limit=body.rate_limit, now=now)
    return Success(data=KeyData(api_key=KeyResource.of(*made)))


@router.delete("/{key_id}", responses=fails_with(401, 403, 404))
async def revoke_key(key_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Revoke a key, for good and at once."""
    await services.keys.revoke(caller, key_id, now)
    return Done(message="API key revoked")
