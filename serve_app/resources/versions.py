"""What prompts, session settings and SMS templates have in common as the API shows them."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from models.document import Model, Time
from serve_app.envelope import Maybe
from stores.versioned import Entry

Name = Annotated[str, Field(min_length=1, max_length=100)]
Search = Annotated[str | None, Query(max_length=100, description="Part of a name")]
IsActive = Annotated[bool, Field(description="false: keep the version that is active now; activate this one later")]

MINE = ("name", "is_active")
"""The fields of an update that are not part of what a version says."""


class VersionResource(Model):
    """A version. `_id` is this version's and always means it; `root_id` stays the same through all versions and means
    the active one. Either is taken wherever an id is. `previous_id` is the version this one was made from."""

    id: Annotated[str, Field(alias="_id")]
    root_id: str
    version: int
    previous_id: str | None
    name: str
    is_active: bool
    created_at: Time
    updated_at: Time
    created_by: Maybe[str] = None
    modified_by: Maybe[str] = None


def common(entry: Entry[Any]) -> dict[str, Any]:
    """The fields of a `VersionResource`. A version never changes: what was updated last is the thing itself."""
    head, version = entry.head, entry.version
    return {
        "id": version.id,
        "root_id": head.id,
        "version": version.version,
        "previous_id": version.previous_id,
        "name": version.name,
        "is_active": entry.is_active,
        "created_at": version.created_at,
        "updated_at": head.updated_at,
        "created_by": version.created_by,
        "modified_by": head.modified_by,
    }


def patch_of(body: Model, *always: str) -> dict[str, Any]:
    """What an update names of a version's own fields; null in one of `always` says nothing."""
    sent = body.model_dump(by_alias=True, exclude_unset=True, exclude=set(MINE))
    return {name: value for name, value in sent.items() if value is not None or name not in always}
