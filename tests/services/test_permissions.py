"""The table of roles, scopes and permissions."""

from itertools import pairwise, product
from typing import get_args

import pytest

from models.api_key import Scope
from models.user import OrganizationRole
from services.permissions import EVERYTHING, PLATFORM, RANKS, ROLES, SCOPES, may_govern, permissions_of

SCOPE_NAMES: tuple[Scope, ...] = get_args(Scope)


def test_every_role_and_scope_is_in_the_table() -> None:
    assert set(ROLES) == set(RANKS) == set(get_args(OrganizationRole))
    assert set(SCOPES) == set(SCOPE_NAMES)


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(RANKS)))
def test_a_higher_role_may_do_all_that_a_lower_one_may(lower: OrganizationRole, higher: OrganizationRole) -> None:
    assert permissions_of(lower) <= permissions_of(higher)


@pytest.mark.parametrize(("lower", "higher"), list(pairwise(SCOPE_NAMES)))
def test_a_wider_scope_leaves_all_that_a_narrower_one_leaves(lower: Scope, higher: Scope) -> None:
    assert permissions_of("owner", scope=lower) < permissions_of("owner", scope=higher)


def test_a_viewer_only_reads() -> None:
    assert all(permission.endswith(":read") for permission in permissions_of("viewer"))


@pytest.mark.parametrize("role", RANKS)
def test_no_role_in_an_organization_credits_accounts(role: OrganizationRole) -> None:
    assert not permissions_of(role) & PLATFORM
    assert permissions_of(role, is_platform_admin=True) >= PLATFORM
    assert not permissions_of(role, is_platform_admin=True, scope="write") & PLATFORM


@pytest.mark.parametrize(("role", "scope"), list(product(RANKS, SCOPE_NAMES)))
def test_a_key_may_do_no_more_than_who_made_it(role: OrganizationRole, scope: Scope) -> None:
    assert permissions_of(role, scope=scope) <= permissions_of(role) <= EVERYTHING


@pytest.mark.parametrize("scope", ["read", "write"])
def test_only_an_admin_key_handles_users_and_keys(scope: Scope) -> None:
    assert not {p for p in permissions_of("owner", scope=scope) if p.startswith(("users:", "keys:", "audit:"))}


@pytest.mark.parametrize(
    ("actor", "other", "may"),
    [
        ("owner", "owner", True),
        ("admin", "admin", True),
        ("admin", "owner", False),
        ("manager", "admin", False),
        ("manager", "viewer", True),
        ("viewer", "agent", False),
    ],
)
def test_nobody_governs_a_role_above_their_own(actor: OrganizationRole, other: OrganizationRole, may: bool) -> None:
    assert may_govern(actor, other) is may
