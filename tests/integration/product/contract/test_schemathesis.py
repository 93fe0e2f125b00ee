"""schemathesis, over every operation of the running product's own OpenAPI document."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from simulators.carrier import Carrier
from simulators.llm import LlmServer
from tests.integration.product.contract.client import Client
from tests.integration.product.contract.conftest import RINGING
from tests.integration.product.contract.test_versions_contract import KINDS
from tests.integration.product.customer import from_anywhere

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

VALID, INVALID, OWN = 6, 6, 3
"""Cases per operation: within the schema, outside it, and about things that are the sender's own."""
Ids = Mapping[str, str]
AnyCase = Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]


def each_status_is_documented(context: CheckContext, response: Response, case: AnyCase) -> bool | None:
    """By its number: that any refusal has our shape ("4XX") does not say that it may come."""
    documented = case.operation.definition.raw["responses"]
    assert str(response.status_code) in documented, f"{response.status_code} is not documented"
    return None


CHECKS = [not_a_server_error, each_status_is_documented, content_type_conformance, response_schema_conformance]


@dataclass
class Findings:
    """What came of the cases."""

    cases: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(self.statuses.items()))
        server_errors = sum(count for status, count in self.statuses.items() if status >= 500)
        figures = f"{len(self.cases)} operations, {self.cases.total()} cases, {server_errors} server errors"
        return f"schemathesis: {figures} ({answers})"


def explore(url: str, key: str, ids: Ids) -> Findings:
    """Every operation; those that delete come last."""
    findings = Findings()
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    schema.config.generation.with_security_parameters = False
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {key}"
        for operation in sorted(found_in(schema), key=lambda found: found.method == "delete"):
            for strategy, count in plans(operation, ids):
                with suppress(Unsatisfiable):  # nothing is outside the schema of an operation that takes anything
                    run_cases(strategy, count, lambda case: judge(case, session, url, findings))
    return findings


def found_in(schema: BaseSchema) -> list[AnyOperation]:
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


def plans(operation: AnyOperation, ids: Ids) -> Iterator[tuple[Any, int]]:
    """What to generate for an operation, and how much of it."""
    own = {parameter.name: ids[parameter.name] for parameter in operation.path_parameters}
    yield operation.as_strategy(generation_mode=GenerationMode.POSITIVE), VALID
    if any(operation.iter_parameters()) or operation.body:
        yield operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), INVALID
    if own:
        yield operation.as_strategy(path_parameters=own), OWN
    if operation.path.startswith("/webhooks/"):
        yield operation.as_strategy(query={name: ids[name] for name in ("phone", "token")}), OWN


def run_cases(strategy: Any, count: int, judge_one: Callable[[AnyCase], None]) -> None:
    """The same cases each time."""

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=strategy)
    def run(case: AnyCase) -> None:
        judge_one(case)

    run()


def judge(case: AnyCase, session: requests.Session, url: str, findings: Findings) -> None:
    """Send a case and note what is wrong with its answer."""
    response = case.call(base_url=url, session=session, headers=from_anywhere())
    findings.cases[case.operation.label] += 1
    findings.statuses[response.status_code] += 1
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        findings.failures.append(f"{case.operation.label}: {group}")


async def test_schemathesis_finds_no_answer_beside_the_document(
    client: Client, api_url: str, carrier: Carrier, llm: LlmServer, say: Callable[[str], None]
) -> None:
    carrier.plans.default = RINGING
    call, webhook_id = await client.call(), await client.webhook()
    phone = await client.phone(await client.agent())
    wanted = [{"name": name, "scope": "admin"} for name in ("asks", "is asked about")]
    asking, other = [(await client.answer("POST", "/api-keys", key, status=201))["apiKey"] for key in wanted]
    campaign_id = (await client.campaign())["_id"]
    [contact] = (await client.answer("GET", f"/campaigns/{campaign_id}/contacts"))["contacts"]
    later = await client.order(localTime="2034-01-15T14:00:00", timezone="Asia/Kolkata")
    member = {"email": f"st-{call['_id']}@example.com", "password": "a long password", "organizationRole": "viewer"}
    agent = (await client.answer("GET", f"/agents/{await client.agent()}"))["agent"]
    ids = {
        "agent_id": agent["_id"],
        "version_id": agent["versionId"],
        "phone_id": phone["_id"],
        "call_id": call["_id"],
        "session_id": call["sessionId"],
        "user_id": (await client.answer("POST", "/users", member, status=201))["user"]["_id"],
        "key_id": other["_id"],
        **{kind.parameter: (await kind.made(client))["_id"] for kind in KINDS},
        "endpoint_id": webhook_id,
        "entry_id": (await client.answer("POST", "/dnc", {"number": "+919123400002"}, status=201))["entry"]["_id"],
        "schedule_id": (await client.answer("POST", "/schedules", later, status=201))["schedule"]["_id"],
        "delivery_id": call["_id"],
        "message_id": call["_id"],
        "campaign_id": campaign_id,
        "contact_id": contact["_id"],
        **dict(parse_qsl(urlsplit(phone["incomingUrl"]).query)),
    }
    findings = await asyncio.to_thread(explore, api_url, asking["key"], ids)
    say(str(findings))
    assert findings.failures == []
    assert len(findings.cases) >= 37
