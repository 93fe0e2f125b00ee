"""/sms-templates: text messages with variables, with all their versions."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field

from models.document import Model
from models.versioned import SMS_CHARS, DltId, SmsTemplate
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Maybe, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from serve_app.resources.versions import IsActive, Name, Search, VersionResource, common, patch_of
from services.principal import Principal
from services.templates import variables
from stores.repository import Page
from stores.versioned import Entry

router = APIRouter(prefix="/sms-templates", tags=["sms-templates"])

Reader = Annotated[Principal, Depends(allowed("agents:read"))]
Writer = Annotated[Principal, Depends(allowed("agents:write"))]

Content = Annotated[str, Field(min_length=1, max_length=SMS_CHARS)]

EXAMPLE: dict[str, Any] = {
    "name": "EMI reminder",
    "content": "Dear {customer_name}, your EMI of INR {amount} is due. Pay here: {link} - Acme Finance",
    "dltTemplateId": "1107161234567890123",
    "dltEntityId": "1101234567890123456",
}


class CreateSmsTemplate(Model):
    """A new template. Variables are names in braces; every brace has to belong to one."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    name: Name
    content: Content
    dlt_template_id: DltId | None = None
    dlt_entity_id: DltId | None = None


class UpdateSmsTemplate(Model):
    """What the new version has of its own; the rest is as in the version it is made from."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": EXAMPLE["content"]}]})
    name: Name | None = None
    content: Content | None = None
    dlt_template_id: DltId | None = None
    dlt_entity_id: DltId | None = None
    is_active: IsActive = True


class SmsTemplateResource(VersionResource):
    """A template in one of its versions; `variables` are those it uses, in order."""

    content: str
    variables: list[str]
    dlt_template_id: Maybe[str] = None
    dlt_entity_id: Maybe[str] = None

    @classmethod
    def of(cls, entry: Entry[SmsTemplate]) -> Self:
        """As the API shows it."""
        body = entry.version.body
        return cls(
            **common(entry),
            content=body.content,
            variables=list(variables(body.content)),
            dlt_template_id=body.dlt_template_id,
            dlt_entity_id=body.dlt_entity_id,
        )


class SmsTemplateData(Model):
    """`data` with one template."""

    sms_template: SmsTemplateResource


class SmsTemplatesData(Model):
    """`data` with a page of templates, or of one template's versions."""

    sms_templates: list[SmsTemplateResource]
    pagination: Pagination


def _one(entry: Entry[SmsTemplate]) -> Success[SmsTemplateData]:
    return Success(data=SmsTemplateData(sms_template=SmsTemplateResource.of(entry)))


def _many(found: Page[Entry[SmsTemplate]]) -> Success[SmsTemplatesData]:
    templates = [SmsTemplateResource.of(entry) for entry in found.items]
    return Success(data=SmsTemplatesData(sms_templates=templates, pagination=Pagination.of(found)))


@router.get("", responses=fails_with(400, 401, 403))
async def list_sms_templates(
    caller: Reader, services: Provided, now: Now, page: PageNumber = 1, limit: PageLimit = 20, search: Search = None
) -> Success[SmsTemplatesData]:
    """The organization's templates in their active versions, newest first."""
    return _many(await services.sms_templates.page(caller, search=search, page=page, limit=limit, now=now))


@router.post("", status_code=201, responses=fails_with(400, 401, 403))
async def create_sms_template(
    body: CreateSmsTemplate, caller: Writer, services: Provided, now: Now
) -> Success[SmsTemplateData]:
    """Create a template: its version 1, which is active."""
    made = SmsTemplate(**body.model_dump(exclude={"name"}))
    return _one(await services.sms_templates.create(caller, name=body.name, body=made, now=now))


@router.get("/{template_id}", responses=fails_with(401, 403, 404))
async def get_sms_template(template_id: str, caller: Reader, services: Provided) -> Success[SmsTemplateData]:
    """A template's active version, or the version of this id."""
    return _one(await services.sms_templates.get(caller, template_id))


@router.put("/{template_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_sms_template(
    template_id: str, body: UpdateSmsTemplate, caller: Writer, services: Provided, now: Now
) -> Success[SmsTemplateData]:
    """Make a new version. What is sent from now on is this text."""
    patch = patch_of(body, "content")
    updated = services.sms_templates.update(
        caller, template_id, name=body.name, patch=patch, activate=body.is_active, now=now
    )
    return _one(await updated)


@router.post("/{template_id}/activate", responses=fails_with(401, 403, 404))
async def activate_sms_template(
    template_id: str, caller: Writer, services: Provided, now: Now
) -> Success[SmsTemplateData]:
    """Make this version the active one; by the template's own id, the newest."""
    return _one(await services.sms_templates.activate(caller, template_id, now))


@router.get("/{template_id}/versions", responses=fails_with(400, 401, 403, 404))
async def list_sms_template_versions(
    template_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[SmsTemplatesData]:
    """All versions of a template, newest first."""
    return _many(await services.sms_templates.history(caller, template_id, page=page, limit=limit))


@router.delete("/{template_id}", responses=fails_with(401, 403, 404, 409))
async def delete_sms_template(template_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Delete a template with all its versions, unless an agent uses it."""
    await services.sms_templates.delete(caller, template_id, now)
    return Done(message="SMS template deleted successfully")
