"""The canonical API's OpenAPI document: valid, with words and examples, and honest about errors. Needs no server."""

import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from models.settings import Settings
from serve_app.api import build_api

METHODS = ("get", "put", "post", "patch", "delete")
FAILURE = {"$ref": "#/components/schemas/Failure"}
WEBHOOKS = "/webhooks/"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Built from the routes alone."""
    nothing_behind: Any = SimpleNamespace(settings=Settings(_env_file=None))
    return build_api(nothing_behind).openapi()


@pytest.fixture(scope="module")
def found(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations, by `GET /agents`."""
    return {
        f"{method.upper()} {path}": about
        for path, methods in document["paths"].items()
        for method, about in methods.items()
        if method in METHODS
    }


def test_the_document_validates(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_operation_says_what_it_does(found: dict[str, dict[str, Any]]) -> None:
    for name, about in found.items():
        assert about["summary"], name
        assert about["description"], name
        assert about["tags"], name
    ids = [about["operationId"] for about in found.values()]
    assert len(set(ids)) == len(ids)


def test_every_body_has_an_example_that_its_schema_allows(
    document: dict[str, Any], found: dict[str, dict[str, Any]]
) -> None:
    tried = 0
    for name, about in found.items():
        for kind, content in about.get("requestBody", {}).get("content", {}).items():
            schema = resolved(document, content["schema"])
            examples = examples_of(document, content)
            assert examples, (name, kind)
            for example in examples:
                validator = OAS31Validator({**schema, "components": document["components"]})
                assert list(validator.iter_errors(example)) == [], (name, example)
                tried += 1
    assert tried >= 15


def test_every_error_is_documented_in_its_shape(found: dict[str, dict[str, Any]]) -> None:
    for name, about in found.items():
        for status, answer in about["responses"].items():
            if status >= "400":
                assert answer["content"]["application/json"]["schema"] == FAILURE, (name, status)


def test_each_operation_documents_the_errors_that_it_can_answer(found: dict[str, dict[str, Any]]) -> None:
    for name, about in found.items():
        wanted = set()
        if about.get("security"):
            wanted |= {"401", "429"}
        if re.search(r"\{\w+\}", name):
            wanted |= {"404"}
        if "requestBody" in about or any(parameter["in"] == "query" for parameter in about.get("parameters", [])):
            wanted |= {"400"}
        if name in ("POST /auth/signup", "POST /auth/login", "POST /auth/refresh"):
            wanted |= {"429", "503"}
        if WEBHOOKS in name:
            wanted |= {"400", "401", "404"}
        assert wanted <= about["responses"].keys(), (name, wanted - about["responses"].keys())


def test_the_documented_errors_of_money_and_carriers_are_there(found: dict[str, dict[str, Any]]) -> None:
    outbound = found["POST /calls/outbound"]["responses"]
    assert {"201", "400", "401", "402", "403", "404", "422", "429", "502", "503"} <= outbound.keys()
    assert {"409"} <= found["DELETE /agents/{agent_id}"]["responses"].keys()
    assert {"409"} <= found["POST /phones/import"]["responses"].keys()
    assert {"402", "503"} <= found["POST /webhooks/exotel/incoming"]["responses"].keys()


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference, or behind `anyOf` with null: what an optional body is."""
    if "anyOf" in schema:
        (schema,) = [option for option in schema["anyOf"] if option != {"type": "null"}]
    if "$ref" not in schema:
        return schema
    behind: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return behind


def examples_of(document: Mapping[str, Any], content: Mapping[str, Any]) -> list[Any]:
    """What a body's readers are shown."""
    given = [example["value"] for example in content.get("examples", {}).values()]
    single = [content["example"]] if "example" in content else []
    return [*given, *single, *resolved(document, content["schema"]).get("examples", [])]
