"""/auth: signing up, logging in, and who I am."""

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import ConfigDict, EmailStr, Field

from models.document import Model, Time
from models.money import to_credits
from serve_app.authentication import Caller, Now, Provided
from serve_app.envelope import Maybe, Success
from serve_app.resources.lists import fails_with
from services.auth import Account
from services.sessions import Tokens

router = APIRouter(prefix="/auth", tags=["auth"])

# argon2 takes any length; a bound keeps a request from hashing a megabyte.
Password = Annotated[str, Field(min_length=8, max_length=1024)]


class SignupRequest(Model):
    """A new account."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "user@example.com", "password": "SecurePassword123!", "name": "John Doe"}]
        }
    )
    email: EmailStr
    password: Password
    name: Annotated[str, Field(max_length=200)] = ""


class LoginRequest(Model):
    """An address and its password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "user@example.com", "password": "SecurePassword123!"}]}
    )
    email: EmailStr
    password: Annotated[str, Field(max_length=1024)]


class RefreshRequest(Model):
    """The refresh token of a login."""

    refresh_token: Annotated[str, Field(max_length=4096)]


class ExotelConfig(Model):
    """The carrier account last imported; the key shows its first characters only."""

    api_key: str
    subdomain: str


class UserResource(Model):
    """A user, and what the organization has left, in credits."""

    id: Annotated[str, Field(alias="_id")]
    email: str
    name: str
    role: str
    credits: float
    created_at: Time
    exotel_config: Maybe[ExotelConfig] = None

    @classmethod
    def of(cls, account: Account) -> Self:
        """As the API shows it."""
        user, carrier = account.user, account.carrier
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            role=user.role,
            credits=to_credits(account.balance_micros),
            created_at=user.created_at,
            exotel_config=carrier and ExotelConfig(api_key=carrier.masked_key, subdomain=carrier.subdomain),
        )


class TokenPair(Model):
    """Access (7 days) and refresh (30 days) token."""

    access: str
    refresh: str


class UserData(Model):
    """`data` of GET /auth/me."""

    user: UserResource


class LoginData(UserData):
    """`data` of signup and login."""

    tokens: TokenPair

    @classmethod
    def of(cls, account: Account, tokens: Tokens) -> Self:
        """As the API shows it."""
        return cls(user=UserResource.of(account), tokens=TokenPair(access=tokens.access, refresh=tokens.refresh))


class AccessData(Model):
    """`data` of refresh."""

    access: str


@router.post("/signup", status_code=201, responses=fails_with(400, 409))
async def signup(body: SignupRequest, services: Provided, now: Now) -> Success[LoginData]:
    """Create an account with an organization of its own."""
    made = await services.auth.signup(email=body.email, password=body.password, name=body.name, now=now)
    return Success(data=LoginData.of(*made))


@router.post("/login", responses=fails_with(400, 401))
async def login(body: LoginRequest, services: Provided, now: Now) -> Success[LoginData]:
    """Get tokens for an address and its password."""
    found = await services.auth.login(email=body.email, password=body.password, now=now)
    return Success(data=LoginData.of(*found))


@router.post("/refresh", responses=fails_with(400, 401))
async def refresh(body: RefreshRequest, services: Provided, now: Now) -> Success[AccessData]:
    """Get a new access token for a refresh token."""
    return Success(data=AccessData(access=await services.auth.refresh(body.refresh_token, now)))


@router.get("/me", responses=fails_with(401))
async def me(caller: Caller, services: Provided) -> Success[UserData]:
    """The user the access token belongs to."""
    return Success(data=UserData(user=UserResource.of(await services.auth.me(caller))))
