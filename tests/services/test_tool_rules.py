"""Which tools may be stored, and how their headers are."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr, ValidationError

from models.agent import AgentConfig
from models.errors import Invalid
from models.tool import HttpTool, Tools
from providers.tools.addresses import AddressGuard
from services.tool_rules import SCHEMA_BYTES, check_tools
from services.tool_secrets import MASK, masked, opened, sealed
from stores.secrets import Secrets
from tests.documents import CONFIG

SECRETS = Secrets(SecretStr(Fernet.generate_key().decode()))
GUARD = AddressGuard()


def function(**fields: Any) -> HttpTool:
    return HttpTool(**({"name": "book", "description": "Books.", "url": "https://api.example.com/"} | fields))


def config(*functions: HttpTool, **fields: Any) -> AgentConfig:
    return CONFIG.model_copy(update={"tools": Tools(functions=functions, **fields)})


def refused(found: AgentConfig) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        check_tools(found, GUARD)
    return {problem.field: problem.message for problem in caught.value.fields}


def test_good_tools_pass() -> None:
    schema = {"type": "object", "properties": {"day": {"type": "string", "pattern": "^[a-z]+$"}}, "required": ["day"]}
    good = function(parameters=schema, headers={"Authorization": "Bearer x"})
    check_tools(config(good, function(name="cancel"), built_in=("transfer_call",), transfer_to="+14155550123"), GUARD)
    check_tools(CONFIG, GUARD)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": ["object"]},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {"type": "text"}}},
        {"type": "object", "required": "a"},
        {"type": "object", "properties": {"a": {"pattern": "("}}},
        {"type": "object", "properties": {"a": {"pattern": "(?=look)ahead"}}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}},
        {"type": "object", "properties": {"a": {"$ref": "http://169.254.169.254/"}}},
        {"type": "object", "allOf": [{"$dynamicRef": "#a"}]},
        {"type": "object", "$id": "http://example.com"},
        {"type": "object", "properties": {"a": {"maximum": 10**40}}},
        {"type": "object", "properties": {"a\0": {}}},
        {"type": "object", "properties": {"a": {"const": "\ud800"}}},
        {"type": "object", "properties": {"a": {"minimum": float("nan")}}},
        {"type": "object", "description": "x" * SCHEMA_BYTES},
    ],
)
def test_parameters_must_be_a_schema_of_an_object(schema: dict[str, Any]) -> None:
    assert list(refused(config(function(parameters=schema)))) == ["config.tools.functions.0.parameters"]


def test_a_very_deep_schema_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(5_000):
        schema = {"not": schema}
    assert list(refused(config(function(parameters={"type": "object", **schema})))) == [
        "config.tools.functions.0.parameters"
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "http://10.0.0.8:8080/x", "https://user:pass@example.com/"])
def test_an_address_must_be_public_and_hold_no_login(url: str) -> None:
    assert list(refused(config(function(url=url)))) == ["config.tools.functions.0.url"]


@pytest.mark.parametrize("url", ["ftp://example.com/", "example.com", ""])
def test_an_address_must_be_of_the_web(url: str) -> None:
    with pytest.raises(ValidationError):
        function(url=url)


def test_names_are_unique_and_not_the_built_in_ones() -> None:
    assert refused(config(function(), function(name="end_call"), function())) == {
        "config.tools.functions.1.name": "is a built-in function's",
        "config.tools.functions.2.name": "is another function's",
    }


def test_headers_of_the_connection_are_its_own() -> None:
    headers = {"Host": "x", "X-Key": "1", "x-key": "2", "X-Long": "x" * 1_001}
    assert set(refused(config(function(headers=headers)))) == {
        f"config.tools.functions.0.headers.{name}" for name in headers
    }


@pytest.mark.parametrize("headers", [{"X Key": "1"}, {"X-Key": "1\r\nHost: x"}, {"X-Key": "ü"}, {"": "x"}])
def test_a_header_is_one_line_of_ascii(headers: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        function(headers=headers)


def test_a_transfer_takes_a_number() -> None:
    assert refused(config(built_in=("transfer_call",))) == {"config.tools.transferTo": "is needed for transfer_call"}


# --- headers at rest ------------------------------------------------------------------------------------
KEYED = config(function(headers={"Authorization": "Bearer s3cret", "X-Tenant": "acme"}))


def headers_of(found: AgentConfig | Tools) -> dict[str, str]:
    return (found.tools if isinstance(found, AgentConfig) else found).functions[0].headers


def test_headers_are_sealed_masked_and_opened() -> None:
    stored = sealed(KEYED, SECRETS)
    assert "s3cret" not in stored.model_dump_json() + repr(stored)
    assert headers_of(masked(stored)) == {"Authorization": MASK, "X-Tenant": MASK}
    assert opened(stored.tools, SECRETS) == KEYED.tools
    assert AgentConfig.model_validate(stored.model_dump(by_alias=True)) == stored


def test_a_sealed_header_of_the_longest_kind_can_be_read_again() -> None:
    stored = sealed(config(function(headers={"X-Long": "x" * 1_000})), SECRETS)
    assert AgentConfig.model_validate(stored.model_dump(by_alias=True)) == stored


def test_a_masked_header_keeps_what_is_stored() -> None:
    before = sealed(KEYED, SECRETS).tools
    sent = config(function(headers={"Authorization": MASK, "X-Tenant": "other"}))
    stored = sealed(sent, SECRETS, before=before)
    assert headers_of(stored)["Authorization"] == headers_of(before)["Authorization"]
    assert headers_of(opened(stored.tools, SECRETS)) == {"Authorization": "Bearer s3cret", "X-Tenant": "other"}


def test_a_mask_over_nothing_is_refused() -> None:
    before = sealed(KEYED, SECRETS).tools
    for name, headers in (("book", {"X-New": MASK}), ("other", {"Authorization": MASK})):
        with pytest.raises(Invalid) as caught:
            sealed(config(function(name=name, headers=headers)), SECRETS, before=before)
        assert [problem.field for problem in caught.value.fields] == [
            f"config.tools.functions.0.headers.{next(iter(headers))}"
        ]
    with pytest.raises(Invalid):
        sealed(config(function(headers={"X-New": MASK})), SECRETS)
