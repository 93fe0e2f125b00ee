"""/users: the members of the organization and their roles."""

from typing import Annotated, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, EmailStr, Field

from models.document import Model, Time
from models.user import OrganizationRole, User
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Pagination, Success
from serve_app.resources.auth import Password
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from services.principal import Principal
from services.users import MemberChange

router = APIRouter(prefix="/users", tags=["users"])

Reader = Annotated[Principal, Depends(allowed("users:read"))]
Writer = Annotated[Principal, Depends(allowed("users:write"))]

Name = Annotated[str, Field(max_length=200)]


class CreateUser(Model):
    """A new member, who logs in with this address and password."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "agent@example.com",
                    "password": "SecurePassword123!",
                    "name": "Jane Doe",
                    "organizationRole": "agent",
                }
            ]
        }
    )
    email: EmailStr
    password: Password
    name: Name = ""
    organization_role: OrganizationRole


class UpdateUser(Model):
    """What to change; everything else stays. A user who is not active can neither log in nor use keys."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"organizationRole": "manager"}, {"name": "Jane Roe", "isActive": False}]}
    )
    name: Name | None = None
    organization_role: OrganizationRole | None = None
    is_active: bool | None = None


class MemberResource(Model):
    """A member of the organization."""

    id: Annotated[str, Field(alias="_id")]
    email: str
    name: str
    organization_role: OrganizationRole
    is_active: bool
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, user: User) -> Self:
        """As the API shows it."""
        return cls(
            id=user.id,
            email=user.email,
            name=user.name,
            organization_role=user.organization_role,
            is_active=user.is_active,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class MemberData(Model):
    """`data` with one member."""

    user: MemberResource


class MembersData(Model):
    """`data` with a page of members."""

    users: list[MemberResource]
    pagination: Pagination


@router.get("", responses=fails_with(400, 401, 403))
async def list_users(
    caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[MembersData]:
    """The organization's members, newest first."""
    found = await services.users.page(caller, page=page, limit=limit)
    users = [MemberResource.of(user) for user in found.items]
    return Success(data=MembersData(users=users, pagination=Pagination.of(found)))


@router.post("", status_code=201, responses=fails_with(400, 401, 403, 409))
async def create_user(body: CreateUser, caller: Writer, services: Provided, now: Now) -> Success[MemberData]:
    """Add a member, with a role up to one's own."""
    user = await services.users.create(
        caller, email=body.email, password=body.password, name=body.name, role=body.organization_role, now=now
    )
    return Success(data=MemberData(user=MemberResource.of(user)))


@router.put("/{user_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_user(
    user_id: str, body: UpdateUser, caller: Writer, services: Provided, now: Now
) -> Success[MemberData]:
    """Change a member whose role is not above one's own. The last owner stays one."""
    change = MemberChange(name=body.name, organization_role=body.organization_role, is_active=body.is_active)
    user = await services.users.update(caller, user_id, change, now)
    return Success(data=MemberData(user=MemberResource.of(user)))


@router.delete("/{user_id}", responses=fails_with(401, 403, 404, 409))
async def delete_user(user_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Remove a member; their logins and API keys end. The last owner stays."""
    await services.users.delete(caller, user_id, now)
    return Done(message="User deleted successfully")
