"""/auth: signing up, logging in and out, and who I am."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter
from pydantic import ConfigDict, EmailStr, Field

from models.document import Model, Time
from models.money import to_credits
from models.user import OrganizationRole
from serve_app.authentication import Caller, Now, Provided
from serve_app.envelope import Done, Maybe, Success
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
    """The refresh token of a login, or of the refresh before."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"refreshToken": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9..."}]}
    )
    refresh_token: Annotated[str, Field(max_length=4096)]


class LogoutRequest(Model):
    """Which sessions to end: this one, or all of the user's."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"everywhere": True}]})
    everywhere: bool = False


class PasswordRequest(Model):
    """The password as it is, and as it is to be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"currentPassword": "SecurePassword123!", "newPassword": "EvenBetter456?"}]}
    )
    current_password: Annotated[str, Field(max_length=1024)]
    new_password: Password


class ExotelConfig(Model):
    """The carrier account last imported; the key shows its first characters only."""

    api_key: str
    subdomain: str


class UserResource(Model):
    """A user, and what the organization can spend, in credits.

    `role` is the user's on the installation ("user" or "admin"), `organization_role` the one among its members.
    """

    id: Annotated[str, Field(alias="_id")]
    email: str
    name: str
    role: Literal["user", "admin"]
    organization_role: OrganizationRole
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
            organization_role=user.organization_role,
            credits=to_credits(account.available_micros),
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


@router.post("/signup", status_code=201, responses=fails_with(400, 409, 503))
async def signup(body: SignupRequest, services: Provided, now: Now) -> Success[LoginData]:
    """Create an account with an organization of its own."""
    made = await services.auth.signup(email=body.email, password=body.password, name=body.name, now=now)
    return Success(data=LoginData.of(*made))


@router.post("/login", responses=fails_with(400, 401, 503))
async def login(body: LoginRequest, services: Provided, now: Now) -> Success[LoginData]:
    """Get tokens for an address and its password."""
    found = await services.auth.login(email=body.email, password=body.password, now=now)
    return Success(data=LoginData.of(*found))


@router.post("/refresh", responses=fails_with(400, 401, 503))
async def refresh(body: RefreshRequest, services: Provided, now: Now) -> Success[TokenPair]:
    """Get a new access token for a refresh token.

    The refresh token may be used until it expires, or be replaced by the one in the answer. Once that one has been
    used, the old one is taken for stolen when it turns up again: the login ends, with all tokens of it.
    """
    tokens = await services.auth.refresh(body.refresh_token, now)
    return Success(data=TokenPair(access=tokens.access, refresh=tokens.refresh))


@router.get("/me", responses=fails_with(401))
async def me(caller: Caller, services: Provided) -> Success[UserData]:
    """The user the access token belongs to."""
    return Success(data=UserData(user=UserResource.of(await services.auth.me(caller))))


@router.post("/logout", responses=fails_with(400, 401, 403))
async def logout(caller: Caller, services: Provided, now: Now, body: LogoutRequest | None = None) -> Done:
    """End this login, or all of the user's: their tokens count no more."""
    await services.auth.logout(caller, everywhere=(body or LogoutRequest()).everywhere, now=now)
    return Done(message="Logged out")


@router.post("/password", responses=fails_with(400, 401, 403))
async def change_password(body: PasswordRequest, caller: Caller, services: Provided, now: Now) -> Done:
    """Change the password; the user's other logins end."""
    await services.auth.change_password(caller, current=body.current_password, new=body.new_password, now=now)
    return Done(message="Password changed")
