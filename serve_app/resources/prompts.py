"""/prompts: instructions for language models, with all their versions."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field

from models.agent import Language, LlmModel, PromptText
from models.document import Model
from models.versioned import Prompt
from serve_app.authentication import Now, Provided, allowed
from serve_app.envelope import Done, Pagination, Success
from serve_app.resources.lists import PageLimit, PageNumber, fails_with
from serve_app.resources.versions import IsActive, Name, Search, VersionResource, common, patch_of
from services.principal import Principal
from stores.repository import Page
from stores.versioned import Entry

router = APIRouter(prefix="/prompts", tags=["prompts"])

Reader = Annotated[Principal, Depends(allowed("agents:read"))]
Writer = Annotated[Principal, Depends(allowed("agents:write"))]

EXAMPLE: dict[str, Any] = {
    "name": "EMI reminder",
    "content": "You are Tanya of Acme Finance. Remind customers kindly of an EMI that is due soon.",
}
TASK: dict[str, Any] = {
    "name": "EMI reminder",
    "task": "Remind {customer_name} of an EMI of {amount} rupees, and offer to send a link for paying.",
    "language": "en",
}


class CreatePrompt(Model):
    """A new prompt."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    name: Name
    content: PromptText


class UpdatePrompt(Model):
    """What the new version has of its own; the rest is as in the version it is made from."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"content": EXAMPLE["content"]}]})
    name: Name | None = None
    content: PromptText | None = None
    is_active: IsActive = True


class GeneratePrompt(Model):
    """What the prompt is to be for."""

    model_config = ConfigDict(json_schema_extra={"examples": [TASK]})
    name: Name
    task: Annotated[str, Field(min_length=10, max_length=4000)]
    language: Language = "en"
    model: LlmModel = "gpt-4"


class PromptResource(VersionResource):
    """A prompt in one of its versions."""

    content: str

    @classmethod
    def of(cls, entry: Entry[Prompt]) -> Self:
        """As the API shows it."""
        return cls(**common(entry), content=entry.version.body.content)


class PromptData(Model):
    """`data` with one prompt."""

    prompt: PromptResource


class PromptsData(Model):
    """`data` with a page of prompts, or of one prompt's versions."""

    prompts: list[PromptResource]
    pagination: Pagination


class Draft(Model):
    """A prompt that is not stored."""

    name: str
    content: str


class DraftData(Model):
    """`data` with a text to review."""

    prompt: Draft


def _one(entry: Entry[Prompt]) -> Success[PromptData]:
    return Success(data=PromptData(prompt=PromptResource.of(entry)))


def _many(found: Page[Entry[Prompt]]) -> Success[PromptsData]:
    prompts = [PromptResource.of(entry) for entry in found.items]
    return Success(data=PromptsData(prompts=prompts, pagination=Pagination.of(found)))


@router.get("", responses=fails_with(400, 401, 403))
async def list_prompts(
    caller: Reader, services: Provided, now: Now, page: PageNumber = 1, limit: PageLimit = 20, search: Search = None
) -> Success[PromptsData]:
    """The organization's prompts in their active versions, newest first."""
    return _many(await services.prompts.page(caller, search=search, page=page, limit=limit, now=now))


@router.post("", status_code=201, responses=fails_with(400, 401, 403))
async def create_prompt(body: CreatePrompt, caller: Writer, services: Provided, now: Now) -> Success[PromptData]:
    """Create a prompt: its version 1, which is active."""
    made = Prompt(content=body.content)
    return _one(await services.prompts.create(caller, name=body.name, body=made, now=now))


@router.post("/generate", responses=fails_with(400, 401, 403, 502))
async def generate_prompt(body: GeneratePrompt, _: Writer, services: Provided) -> Success[DraftData]:
    """Have the language model write a prompt for you to review. It is not stored: create it when it is good."""
    text = await services.prompt_writer.write(task=body.task, language=body.language, model=body.model)
    return Success(data=DraftData(prompt=Draft(name=body.name, content=text)))


@router.get("/{prompt_id}", responses=fails_with(401, 403, 404))
async def get_prompt(prompt_id: str, caller: Reader, services: Provided) -> Success[PromptData]:
    """A prompt's active version, or the version of this id."""
    return _one(await services.prompts.get(caller, prompt_id))


@router.put("/{prompt_id}", responses=fails_with(400, 401, 403, 404, 409))
async def update_prompt(
    prompt_id: str, body: UpdatePrompt, caller: Writer, services: Provided, now: Now
) -> Success[PromptData]:
    """Make a new version. Agents that point at the prompt use it from their next call on."""
    patch = patch_of(body, "content")
    updated = services.prompts.update(caller, prompt_id, name=body.name, patch=patch, activate=body.is_active, now=now)
    return _one(await updated)


@router.post("/{prompt_id}/activate", responses=fails_with(401, 403, 404))
async def activate_prompt(prompt_id: str, caller: Writer, services: Provided, now: Now) -> Success[PromptData]:
    """Make this version the active one; by the prompt's own id, the newest."""
    return _one(await services.prompts.activate(caller, prompt_id, now))


@router.get("/{prompt_id}/versions", responses=fails_with(400, 401, 403, 404))
async def list_prompt_versions(
    prompt_id: str, caller: Reader, services: Provided, page: PageNumber = 1, limit: PageLimit = 20
) -> Success[PromptsData]:
    """All versions of a prompt, newest first."""
    return _many(await services.prompts.history(caller, prompt_id, page=page, limit=limit))


@router.delete("/{prompt_id}", responses=fails_with(401, 403, 404, 409))
async def delete_prompt(prompt_id: str, caller: Writer, services: Provided, now: Now) -> Done:
    """Delete a prompt with all its versions, unless an agent uses it."""
    await services.prompts.delete(caller, prompt_id, now)
    return Done(message="Prompt deleted successfully")
