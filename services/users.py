"""The members of an organization, and who may make what of whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.document import new_id
from models.errors import Conflict, Forbidden
from models.user import OrganizationRole, User
from services.audit import AuditService
from services.passwords import Passwords
from services.permissions import may_govern
from services.principal import Principal
from stores.repositories import Repositories
from stores.repository import Page


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What to change about a member; None: nothing."""

    name: str | None = None
    organization_role: OrganizationRole | None = None
    is_active: bool | None = None

    def fields(self) -> dict[str, Any]:
        """What is given, in the stored names."""
        given = {"name": self.name, "organizationRole": self.organization_role, "isActive": self.is_active}
        return {field: value for field, value in given.items() if value is not None}

    def takes_ownership(self, user: User) -> bool:
        """Whether an owner will be none any more."""
        demoted = self.organization_role not in (None, "owner")
        return user.organization_role == "owner" and user.is_active and (demoted or self.is_active is False)


class UserService:
    """The rules around members. Every method raises NotFound for a member of another organization.

    Nobody touches a role above their own, nor gives one; so nobody raises their own. An organization keeps an owner.
    """

    def __init__(self, repositories: Repositories, *, passwords: Passwords, audit: AuditService) -> None:
        self._stores = repositories
        self._users = repositories.users
        self._passwords = passwords
        self._audit = audit

    async def page(self, principal: Principal, *, page: int, limit: int) -> Page[User]:
        """The organization's members, newest first."""
        return await self._users.listed(principal.organization_id, page=page, limit=limit)

    async def create(
        self, principal: Principal, *, email: str, password: str, name: str, role: OrganizationRole, now: datetime
    ) -> User:
        """A new member; raises Forbidden, and Conflict when the address is registered anywhere."""
        _govern(principal, role)
        user = User(
            id=new_id(),
            **principal.signature(now),
            email=email.lower(),
            name=name,
            password_hash=await self._passwords.hash(password),
            organization_role=role,
        )
        await self._users.insert(user)
        await self._audit.record(principal, "create", "user", user.id, now, role=role)
        return user

    async def update(self, principal: Principal, user_id: str, change: MemberChange, now: datetime) -> User:
        """Change a member; raises Forbidden, and Conflict for the last owner or when others were quicker."""
        user = await self._users.get(principal.organization_id, user_id)
        _govern(principal, user.organization_role)
        _govern(principal, change.organization_role or user.organization_role)
        fields = change.fields()
        if not fields:
            return user
        changed = await self._change(principal, user, fields, now, takes_ownership=change.takes_ownership(user))
        if not changed.is_active:
            await self._stores.sessions.revoke_all(user.organization_id, user.id, now)
        await self._audit.record(
            principal, "update", "user", user.id, now, fields=sorted(fields), **_roles(user, changed)
        )
        return changed

    async def delete(self, principal: Principal, user_id: str, now: datetime) -> None:
        """Remove a member with their sessions and keys; raises Forbidden, and Conflict for the last owner."""
        user = await self._users.get(principal.organization_id, user_id)
        _govern(principal, user.organization_role)
        is_owner = user.organization_role == "owner" and user.is_active
        await self._change(principal, user, {"isDeleted": True}, now, takes_ownership=is_owner)
        await self._stores.sessions.revoke_all(user.organization_id, user.id, now)
        await self._stores.api_keys.revoke_all(user.organization_id, user.id, now, principal.user_id)
        await self._audit.record(principal, "delete", "user", user.id, now, role=user.organization_role)

    async def _change(
        self, principal: Principal, user: User, fields: dict[str, Any], now: datetime, *, takes_ownership: bool
    ) -> User:
        organization_id, attempt = user.organization_id, new_id() if takes_ownership else None
        if attempt is not None:
            await self._users.retire(organization_id, user.id, attempt)
            if not await self._users.has_other_owners(organization_id):
                await self._users.spare(organization_id, user.id, attempt)
                raise Conflict("The organization needs an owner")
        changed = await self._users.change_if_same(user, fields, now, principal.user_id, attempt=attempt)
        if changed is None:
            raise Conflict("Somebody else is changing this user, try again")
        return changed


def _govern(principal: Principal, role: OrganizationRole) -> None:
    if not may_govern(principal.role, role):
        raise Forbidden("You cannot give, change or take away a role above your own")


def _roles(before: User, after: User) -> dict[str, str]:
    """What the audit log says of a change of role."""
    if before.organization_role == after.organization_role:
        return {}
    return {"from": before.organization_role, "to": after.organization_role}
