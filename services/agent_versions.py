"""What an agent's configuration points at, and what a call is made of it."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, TypeVar

from models.agent import AgentConfig
from models.call import Versions
from models.document import Id, Model
from models.errors import FieldError, Invalid, NotFound
from models.versioned import Version
from services.versioned_kinds import PROMPT, SESSION_SETTINGS, SMS_TEMPLATE, Kind
from stores.repositories import Repositories
from stores.versioned import VersionedStore

log = logging.getLogger(__name__)

B = TypeVar("B", bound=Model)


class AgentVersions:
    """Looks up the versioned things of agents."""

    def __init__(self, repositories: Repositories) -> None:
        self._prompts = repositories.prompts
        self._settings = repositories.session_settings
        self._templates = repositories.sms_templates

    async def check(self, organization_id: Id, config: Mapping[str, Any]) -> None:
        """Raises Invalid with every reference in (part of) a configuration, in the API's names, that leads nowhere."""
        problems = await asyncio.gather(
            _problem(PROMPT, self._prompts, organization_id, config),
            _problem(SESSION_SETTINGS, self._settings, organization_id, config),
            _problem(SMS_TEMPLATE, self._templates, organization_id, config),
        )
        found = [problem for problem in problems if problem is not None]
        if found:
            raise Invalid(fields=found)

    async def resolve(self, organization_id: Id, config: AgentConfig) -> tuple[AgentConfig, Versions | None]:
        """The configuration a call is made with, and the exact versions that are in it; None: there are none.

        What is gone, which takes a deletion in the very moment an agent was saved, is left out: the agent then talks
        as its own configuration says.
        """
        prompt, settings, template = await asyncio.gather(
            _version(self._prompts, organization_id, config.prompt_id),
            _version(self._settings, organization_id, config.session_settings_id),
            _version(self._templates, organization_id, config.sms_template_id),
        )
        if prompt is None and settings is None and template is None:
            return config, None
        fields: dict[str, Any] = {} if prompt is None else {"prompt": prompt.body.content}
        if settings is not None:
            given = ((name, getattr(settings.body, name)) for name in type(settings.body).model_fields)
            fields |= {name: value for name, value in given if value is not None}
        versions = Versions(
            prompt_id=prompt and prompt.id,
            session_settings_id=settings and settings.id,
            sms_template_id=template and template.id,
        )
        return config.model_copy(update=fields), versions


async def _problem(
    kind: Kind[B], store: VersionedStore[B], organization_id: Id, config: Mapping[str, Any]
) -> FieldError | None:
    reference = config.get(kind.reference)
    if reference is None:
        return None
    try:
        await store.find(organization_id, reference)
    except NotFound as error:
        return FieldError(f"config.{kind.reference}", error.message)
    return None


async def _version(store: VersionedStore[B], organization_id: Id, reference: Id | None) -> Version[B] | None:
    if reference is None:
        return None
    try:
        return (await store.find(organization_id, reference)).version
    except NotFound as error:
        log.warning("an agent points at what is gone", extra={"reference": reference, "problem": error.message})
        return None
