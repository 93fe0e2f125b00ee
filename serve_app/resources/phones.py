"""/phones: numbers and the carrier accounts behind them. Credentials come in and never go out."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field, Secret

from models.document import Model, Time
from models.phone import PhoneStatus
from providers.roles import CarrierCredentials
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.phones import ListedPhone
from services.principal import Principal

router = APIRouter(prefix="/phones", tags=["phones"])

Reader = Annotated[Principal, Depends(allowed("phones:read"))]
Writer = Annotated[Principal, Depends(allowed("phones:write"))]

Credential = Secret[Annotated[str, Field(pattern=r"^[!-~]{1,200}$")]]
"""Printable ASCII without spaces: it goes into a header."""
Tag = Annotated[str, Field(min_length=1, max_length=50)]


class ExotelAccount(Model):
    """An Exotel account; `subdomain` as Exotel's settings page shows it, such as `api.in.exotel.com` or `api.in`."""

    api_key: Credential
    api_token: Credential
    sid: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    subdomain: Annotated[str, Field(max_length=100, pattern=r"^@?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")]


class ImportPhone(Model):
    """A number of a carrier account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": "+919876543210",
                    "country": "IN",
                    "exotelConfig": {
                        "apiKey": "your-api-key",
                        "apiToken": "your-api-token",
                        "sid": "your-sid",
                        "subdomain": "your-subdomain",
                    },
                }
            ]
        }
    )
    number: Annotated[str, Field(max_length=40)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    exotel_config: ExotelAccount


class AssignAgent(Model):
    """Who is to answer; null: nobody."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"agentId": "64f8a1b2c3d4e5f6a7b8c9d1"}]})
    agent_id: Annotated[str, Field(max_length=100)] | None


class SetTags(Model):
    """All tags, replacing the present ones."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tags": ["sales", "priority", "inbound"]}]})
    tags: Annotated[list[Tag], Field(max_length=50)]


class ExotelData(Model):
    """The account a number belongs to."""

    sid: str


class PhoneResource(Model):
    """A phone. `incoming_url` goes into the carrier's flow for this number, `connect_url` into the flow's next step,
    for transfers; only those who may change the phone see them."""

    id: Annotated[str, Field(alias="_id")]
    number: str
    country: str
    provider: Literal["exotel"]
    agent_id: Maybe[str] = None
    agent_name: Maybe[str] = None
    tags: list[str]
    status: PhoneStatus
    exotel_data: ExotelData
    incoming_url: Maybe[str] = None
    connect_url: Maybe[str] = None
    created_at: Time

    @classmethod
    def of(cls, listed: ListedPhone) -> Self:
        """As the API shows it."""
        phone = listed.phone
        return cls(
            id=phone.id,
            number=phone.number,
            country=phone.country,
            provider=phone.provider,
            agent_id=phone.agent_id,
            agent_name=listed.agent_name,
            tags=phone.tags,
            status=phone.status,
            exotel_data=ExotelData(sid=phone.carrier.sid),
            incoming_url=listed.incoming_url,
            connect_url=listed.connect_url,
            created_at=phone.created_at,
        )


class PhoneData(Model):
    """`data` with one phone."""

    phone: PhoneResource

    @classmethod
    def of(cls, listed: ListedPhone) -> Success[Self]:
        """The whole answer."""
        return Success(data=cls(phone=PhoneResource.of(listed)))


class PhonesData(Model):
    """`data` with a page of phones."""

    phones: list[PhoneResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_phones(
    caller: Reader,
    services: Provided,
    page: PageNumber = 1,
    limit: PageLimit = 20,
    status: PhoneStatus | None = None,
) -> Success[PhonesData]:
    """The organization's phones, newest first."""
    found = await services.phones.page(caller, status=status, page=page, limit=limit)
    phones = [PhoneResource.of(listed) for listed in found.items]
    return Success(data=PhonesData(phones=phones, pagination=Pagination.of(found)))


@router.post("/import", status_code=201, responses=fails_with(400, 401, 403, 409))
async def import_phone(body: ImportPhone, caller: Writer, services: Provided, now: Now) -> Success[PhoneData]:
    """Import a number from an Exotel account. Exotel is asked whether the account exists, if it can be reached."""
    account = body.exotel_config
    credentials = CarrierCredentials(
        sid=account.sid,
        subdomain=account.subdomain,
        api_key=account.api_key.get_secret_value(),
        api_token=account.api_token.get_secret_value(),
    )
    imported = await services.phones.import_number(
        caller, number=body.number, country=body.country, credentials=credentials, now=now
    )
    return PhoneData.of(imported)


@router.put("/{phone_id}/agent", responses=fails_with(400, 401, 403, 404))
async def assign_agent(
    phone_id: str, body: AssignAgent, caller: Writer, services: Provided, now: Now
) -> Success[PhoneData]:
    """Have an agent answer this phone; null takes the present one off."""
    return PhoneData.of(await services.phones.assign_agent(caller, phone_id, body.agent_id, now))


@router.put("/{phone_id}/tags", responses=fails_with(400, 401, 403, 404))
async def set_tags(phone_id: str, body: SetTags, caller: Writer, services: Provided, now: Now) -> Success[PhoneData]:
    """Replace a phone's tags."""
    return PhoneData.of(await services.phones.tag(caller, phone_id, body.tags, now))


@router.delete("/{phone_id}", responses=fails_with(401, 403, 404))
async def delete_phone(phone_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Give a number up. It can be imported again; its calls stay in the log."""
    await services.phones.delete(caller, phone_id, now)
    return Done(message="Phone number deleted successfully")
