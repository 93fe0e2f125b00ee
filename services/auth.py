"""Accounts: signing up, logging in and out, and who is behind the credentials of a request."""

from dataclasses import dataclass
from datetime import datetime

from models.api_key import Scope
from models.document import Id, new_id
from models.errors import CallboardError, FieldError, Forbidden, Invalid, Unauthenticated
from models.organization import Organization
from models.settings import Settings
from models.user import User
from services import carrier_accounts
from services.api_keys import MARK, ApiKeyService
from services.audit import AuditService
from services.credit import Credit
from services.logins import Logins
from services.passwords import Passwords
from services.permissions import Permission, permissions_of
from services.principal import Principal, Source
from services.sessions import Tokens
from stores.repositories import Repositories
from stores.secrets import Secrets

UNKNOWN = Source()


@dataclass(frozen=True, slots=True)
class CarrierProfile:
    """The carrier account a profile shows: the key's first characters only."""

    masked_key: str
    subdomain: str


@dataclass(frozen=True, slots=True)
class Account:
    """A user and what the organization can spend."""

    user: User
    available_micros: int
    carrier: CarrierProfile | None = None


class AuthService:
    """Everything about who somebody is."""

    def __init__(
        self,
        settings: Settings,
        repositories: Repositories,
        *,
        secrets: Secrets,
        passwords: Passwords,
        keys: ApiKeyService,
        credit: Credit,
        audit: AuditService,
    ) -> None:
        self._signup_credits = settings.signup_credits_micros
        self._stores = repositories
        self._secrets = secrets
        self._passwords = passwords
        self._logins = Logins(settings, repositories)
        self._keys = keys
        self._credit = credit
        self._audit = audit

    # --- in and out -----------------------------------------------------------------------------------
    async def signup(self, *, email: str, password: str, name: str, now: datetime) -> tuple[Account, Tokens]:
        """Make an organization and its owner.

        Raises Conflict when the address is registered, and CreditUnavailable.
        """
        user_id = new_id()
        organization = Organization(created_at=now, updated_at=now, created_by=user_id, name=name)
        user = User(
            id=user_id,
            created_at=now,
            updated_at=now,
            created_by=user_id,
            organization_id=organization.id,
            email=email.lower(),
            name=name,
            password_hash=await self._passwords.hash(password),
            organization_role="owner",
        )
        # The user last: without organization or credit they could not start, and an account nobody has harms nobody.
        await self._stores.organizations.insert(organization)
        try:
            await self._give_credit(organization.id, now)
            await self._stores.users.insert(user)
        except CallboardError:
            await self._stores.organizations.remove(organization.id)
            raise
        return await self._account(user), await self._logins.begin(user, now)

    async def login(self, *, email: str, password: str, now: datetime) -> tuple[Account, Tokens]:
        """Fresh tokens; raises Unauthenticated without saying what was wrong."""
        user = await self._stores.users.by_email(email)
        right = await self._passwords.is_right(password, user.password_hash if user else None)
        if user is None or not right or not user.is_active:
            raise Unauthenticated("Invalid credentials")
        return await self._account(user), await self._logins.begin(user, now)

    async def refresh(self, token: str, now: datetime) -> Tokens:
        """A new access token, and the next refresh token; raises Unauthenticated."""
        return await self._logins.refresh(token, now)

    async def logout(self, principal: Principal, *, everywhere: bool, now: datetime) -> None:
        """End this session, or all of the user's; raises Forbidden for a key."""
        session_id = _session_of(principal)
        if not everywhere:
            await self._logins.end(principal.organization_id, session_id, now)
            return
        await self._logins.end_all(principal.organization_id, principal.user_id, now)
        await self._audit.record(principal, "logout-everywhere", "user", principal.user_id, now)

    async def change_password(self, principal: Principal, *, current: str, new: str, now: datetime) -> None:
        """Replace the user's password and end their other sessions.

        Raises Forbidden for a key, and Invalid when the current password is another.
        """
        session_id, user = _session_of(principal), await self._user(principal)
        if not await self._passwords.is_right(current, user.password_hash):
            raise Invalid(fields=[FieldError("currentPassword", "Wrong password")])
        hashed = await self._passwords.hash(new)
        # The password first: a login with the old one that is under way looks at it again after its session is stored.
        await self._stores.users.change(
            principal.organization_id, user.id, {"passwordHash": hashed}, now, principal.user_id
        )
        await self._logins.end_all(principal.organization_id, user.id, now, but=session_id)
        await self._audit.record(principal, "change-password", "user", user.id, now)

    # --- who ------------------------------------------------------------------------------------------
    async def authenticate(self, token: str, now: datetime, source: Source = UNKNOWN) -> Principal:
        """Who is behind an access token or an API key; raises Unauthenticated.

        What they may do is read from the store, not from the token, so that a change of role counts at once.
        """
        if token.startswith(MARK):
            key, user = await self._keys.opened(token, now)
            return Principal(
                user_id=user.id,
                organization_id=user.organization_id,
                role=user.organization_role,
                permissions=_permissions(user, scope=key.scope),
                key_id=key.id,
                limit=key.rate_limit,
                source=source,
            )
        session, user = await self._logins.opened(token, now)
        return Principal(
            user_id=user.id,
            organization_id=user.organization_id,
            role=user.organization_role,
            permissions=_permissions(user),
            session_id=session.id,
            source=source,
        )

    async def me(self, principal: Principal) -> Account:
        """The user who asks; raises Unauthenticated when they are gone."""
        return await self._account(await self._user(principal), await self._carrier(principal))

    async def _user(self, principal: Principal) -> User:
        user = await self._stores.users.by_id(principal.user_id)
        if user is None:
            raise Unauthenticated("Invalid token")
        return user

    async def _account(self, user: User, carrier: CarrierProfile | None = None) -> Account:
        return Account(user, await self._stores.ledger.available(user.organization_id), carrier)

    async def _give_credit(self, organization_id: Id, now: datetime) -> None:
        if self._signup_credits:
            await self._credit.top_up(
                organization_id, "signup", self._signup_credits, reason="signup", by=None, now=now
            )

    async def _carrier(self, principal: Principal) -> CarrierProfile | None:
        phone = await self._stores.phones.newest(principal.organization_id)
        if phone is None:
            return None
        key = carrier_accounts.opened(phone.carrier, self._secrets).api_key
        return CarrierProfile(masked_key=key[:2] + "x" * 10, subdomain=phone.carrier.subdomain)


def _permissions(user: User, *, scope: Scope | None = None) -> frozenset[Permission]:
    return permissions_of(user.organization_role, is_platform_admin=user.role == "admin", scope=scope)


def _session_of(principal: Principal) -> Id:
    """The session of whoever logged in themselves; raises Forbidden for a key."""
    if principal.session_id is None:
        raise Forbidden("An API key cannot do this; log in instead")
    return principal.session_id
