"""Who may do what: the one table of roles, scopes and permissions. Pure.

A member of an organization has a role; an API key has its creator's role, narrowed by its scope. Crediting accounts and
the do-not-call list over all organizations are nobody's right inside one: they belong to the people who run the
installation (`User.role` "admin").
"""

from typing import Literal, get_args

from models.api_key import Scope
from models.user import OrganizationRole

Permission = Literal[
    "agents:read",
    "agents:write",
    "phones:read",
    "phones:write",
    "calls:read",
    "calls:write",
    "campaigns:read",
    "campaigns:write",
    "dashboard:read",
    "billing:read",
    "users:read",
    "users:write",
    "keys:read",
    "keys:write",
    "audit:read",
    "webhooks:read",
    "webhooks:write",
    "dnc:read",
    "dnc:write",
    "dnc:everywhere",
    "credits:write",
]

EVERYTHING: frozenset[Permission] = frozenset(get_args(Permission))
PLATFORM: frozenset[Permission] = frozenset({"credits:write", "dnc:everywhere"})
"""Over all organizations; comes with the platform role, never with a role in an organization."""

_VIEWER: frozenset[Permission] = frozenset(
    {"agents:read", "phones:read", "calls:read", "campaigns:read", "dashboard:read", "dnc:read"}
)
_AGENT: frozenset[Permission] = _VIEWER | {"calls:write"}
_MANAGER: frozenset[Permission] = _AGENT | {
    *("agents:write", "phones:write", "billing:read", "users:read"),
    *("webhooks:read", "webhooks:write"),
    *("campaigns:write", "dnc:write"),
}
_ADMIN: frozenset[Permission] = EVERYTHING - PLATFORM

ROLES: dict[OrganizationRole, frozenset[Permission]] = {
    "owner": _ADMIN,
    "admin": _ADMIN,
    "manager": _MANAGER,
    "agent": _AGENT,
    "viewer": _VIEWER,
}
RANKS: tuple[OrganizationRole, ...] = ("viewer", "agent", "manager", "admin", "owner")
"""Nobody gives, changes or takes away a role above their own."""

SCOPES: dict[Scope, frozenset[Permission]] = {
    "read": _VIEWER | {"billing:read"},
    "write": _MANAGER - {"users:read"},
    "admin": EVERYTHING,
}


def permissions_of(
    role: OrganizationRole, *, is_platform_admin: bool = False, scope: Scope | None = None
) -> frozenset[Permission]:
    """What a member may do; through a key, what its scope leaves of that."""
    granted = ROLES[role] | (PLATFORM if is_platform_admin else frozenset())
    return granted if scope is None else granted & SCOPES[scope]


def may_govern(actor: OrganizationRole, other: OrganizationRole) -> bool:
    """Whether `actor` may give, change or take away the role `other`."""
    return RANKS.index(actor) >= RANKS.index(other)
