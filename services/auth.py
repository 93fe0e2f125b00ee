"""Accounts: signing up, logging in, and who a token belongs to."""

from dataclasses import dataclass
from datetime import datetime

from models.document import new_id
from models.errors import Conflict, Unauthenticated
from models.organization import Organization
from models.settings import Settings
from models.user import User
from services import carrier_accounts
from services.passwords import Passwords
from services.principal import Principal
from services.sessions import Sessions, Tokens
from stores.repositories import Repositories
from stores.secrets import Secrets


@dataclass(frozen=True, slots=True)
class CarrierProfile:
    """The carrier account a profile shows: the key's first characters only."""

    masked_key: str
    subdomain: str


@dataclass(frozen=True, slots=True)
class Account:
    """A user and what the organization has left."""

    user: User
    balance_micros: int
    carrier: CarrierProfile | None = None


class AuthService:
    """Everything about who somebody is."""

    def __init__(self, settings: Settings, repositories: Repositories, secrets: Secrets) -> None:
        self._signup_credits = settings.signup_credits_micros
        self._stores = repositories
        self._secrets = secrets
        self._passwords = Passwords()
        self._sessions = Sessions(settings)

    async def signup(self, *, email: str, password: str, name: str, now: datetime) -> tuple[Account, Tokens]:
        """Make an organization and its first user; raises Conflict when the address is registered."""
        organization = Organization(created_at=now, updated_at=now, name=name, balance_micros=self._signup_credits)
        user = User(
            id=new_id(),
            created_at=now,
            updated_at=now,
            organization_id=organization.id,
            email=email.lower(),
            name=name,
            password_hash=await self._passwords.hash(password),
        )
        # The organization first: a user without one could never log in, an organization without users harms nobody.
        await self._stores.organizations.insert(organization)
        try:
            await self._stores.users.insert(user)
        except Conflict:
            await self._stores.organizations.remove(organization.id)
            raise
        return Account(user, organization.balance_micros), self._sessions.both(user, now)

    async def login(self, *, email: str, password: str, now: datetime) -> tuple[Account, Tokens]:
        """Fresh tokens; raises Unauthenticated without saying which of the two was wrong."""
        user = await self._stores.users.by_email(email)
        right = await self._passwords.is_right(password, user.password_hash if user else None)
        if user is None or not right:
            raise Unauthenticated("Invalid credentials")
        organization = await self._stores.organizations.fetch(user.organization_id)
        return Account(user, organization.balance_micros), self._sessions.both(user, now)

    async def refresh(self, token: str, now: datetime) -> str:
        """A new access token with the user's present role; raises Unauthenticated."""
        return self._sessions.issue(await self._user(self._sessions.read(token, "refresh", now)), "access", now)

    async def authenticate(self, token: str, now: datetime) -> Principal:
        """Whose access token it is; raises Unauthenticated."""
        return self._sessions.read(token, "access", now)

    async def me(self, principal: Principal) -> Account:
        """The user behind a token; raises Unauthenticated when the user is gone."""
        user = await self._user(principal)
        organization = await self._stores.organizations.fetch(principal.organization_id)
        return Account(user, organization.balance_micros, await self._carrier(principal))

    async def _user(self, principal: Principal) -> User:
        user = await self._stores.users.by_id(principal.user_id)
        if user is None:
            raise Unauthenticated("Invalid token")
        return user

    async def _carrier(self, principal: Principal) -> CarrierProfile | None:
        phone = await self._stores.phones.newest(principal.organization_id)
        if phone is None:
            return None
        key = carrier_accounts.opened(phone.carrier, self._secrets).api_key
        return CarrierProfile(masked_key=key[:2] + "x" * 10, subdomain=phone.carrier.subdomain)
