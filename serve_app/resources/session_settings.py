"""/session-settings: how calls listen, wait and speak, with all versions."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict

from models.document import Model
from models.versioned import SessionSettings
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from serve_app.resources.versions import IsActive, Name, Search, VersionResource, common
from services.principal import Principal
from stores.repository import Page
from stores.versioned import Entry

router = APIRouter(prefix="/session-settings", tags=["session-settings"])

Reader = Annotated[Principal, Depends(allowed("agents:read"))]
Writer = Annotated[Principal, Depends(allowed("agents:write"))]

EXAMPLE: dict[str, Any] = {
    "name": "Collections, Hindi",
    "settings": {
        "language": "hi",
        "voice": {"provider": "cartesia", "voiceId": "meera"},
        "turnTaking": {"endMs": 700},
        "silence": {"reprompts": 1},
    },
}


class CreateSessionSettings(Model):
    """New settings. What is left out is as in the agent that uses them; of a part that is given, as by default."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    name: Name
    settings: SessionSettings


class UpdateSessionSettings(Model):
    """What the new version has of its own; the rest is as in the version it is made from, inside `settings` too."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"settings": {"turnTaking": {"endMs": 800}}}]})
    name: Name | None = None
    settings: dict[str, Any] | None = None
    is_active: IsActive = True


class SettingsResource(VersionResource):
    """Settings in one of their versions. The default ones are there from the beginning and cannot be deleted."""

    is_default: bool
    settings: SessionSettings

    @classmethod
    def of(cls, entry: Entry[SessionSettings]) -> Self:
        """As the API shows it."""
        return cls(**common(entry), is_default=entry.head.is_default, settings=entry.version.body)


class SettingsData(Model):
    """`data` with one version."""

    session_settings: SettingsResource


class SettingsListData(Model):
    """`data` with a page of settings, or of versions."""

    session_settings: list[SettingsResource]
    pagination: Pagination


def _one(entry: Entry[SessionSettings]) -> Success[SettingsData]:
    return Success(data=SettingsData(session_settings=SettingsResource.of(entry)))


def _many(found: Page[Entry[SessionSettings]]) -> Success[SettingsListData]:
    settings = [SettingsResource.of(entry) for entry in found.items]
    return Success(data=SettingsListData(session_settings=settings, pagination=Pagination.of(found)))


@router.get("", responses=fails_with(400, 401, 403))
async def list_session_settings(
    caller: Reader, services: Provided, now: Now, page: PageNumber = 1, limit: PageLimit = 20, search: Search = None
) -> Success[SettingsListData]:
    """The organization's settings in their active versions, newest first; two defaults are always among them."""
    return _many(await services.session_settings.page(caller, search=search, page=page, limit=limit, now=now))


@router.post("", status_code=201, responses=fails_with(400, 401, 403))
async def create_session_settings(
    body: CreateSessionSettings, caller: Writer, services: Provided, now: Now
) -> Success[SettingsData]:
    """Create settings: their version 1, which is active."""
    return _one(await services.session_settings.create(caller, name=body.name, body=body.settings, now=now))


@router.get("/{settings_id}", responses=fails_with(401, 403, 404))
async def get_session_settings(settings_id: str, caller: Reader, services: Provided) -> Success[SettingsData]:
    """The active version, or the version of this id."""
    return _one(await services.session_settings.get(caller, settings_id))


@router.put("/{settings_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_session_settings(
    settings_id: str, body: UpdateSessionSettings, caller: Writer, services: Provided, now: Now
) -> Success[SettingsData]:
    """Make a new version. Agents that point at the settings use it from their next call on."""
    updated = services.session_settings.update(
        caller, settings_id, name=body.name, patch=body.settings or {}, activate=body.is_active, now=now
    )
    return _one(await updated)


@router.post("/{settings_id}/activate", responses=fails_with(401, 403, 404))
async def activate_session_settings(
    settings_id: str, caller: Writer, services: Provided, now: Now
) -> Success[SettingsData]:
    """Make this version the active one; by the settings' own id, the newest."""
    return _one(await services.session_settings.activate(caller, settings_id, now))


@router.get("/{settings_id}/versions", responses=fails_with(400, 401, 403, 404))
async def list_session_settings_versions(
    settings_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[SettingsListData]:
    """All versions, newest first."""
    return _many(await services.session_settings.history(caller, settings_id, page=page, limit=limit))


@router.delete("/{settings_id}", responses=fails_with(401, 403, 404, 409))
async def delete_session_settings(settings_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Delete settings with all versions, unless an agent uses them or they are a default."""
    await services.session_settings.delete(caller, settings_id, now)
    return Done(message="Session settings deleted successfully")
