"""The checklist is complete: every operation and answer has a test, and every test is one that runs."""

import asyncio
import re
import sys
from collections.abc import Callable

import httpx
import pytest

from models.settings import REPOSITORY
from tests.integration.product.contract.beyond import BEYOND
from tests.integration.product.contract.checklist import GENERAL, OPERATIONS
from tests.integration.product.contract.operations import operations

pytestmark = pytest.mark.integration

TESTS = REPOSITORY / "tests"
NAMED = {*GENERAL.values(), *(test for answers in OPERATIONS.values() for test in answers.values())}


def plain(operation: str) -> str:
    """The same for `/agents/:id` and `/agents/{agent_id}`."""
    return re.sub(r":\w+|\{\w+\}", "*", operation)


async def test_every_operation_is_in_the_list_and_in_the_product(http: httpx.AsyncClient) -> None:
    found = {plain(operation.name) for operation in await operations(http)}
    listed, beyond = {plain(name) for name in OPERATIONS}, {plain(name) for name in BEYOND}
    assert not listed & beyond
    assert found == listed | beyond


async def test_every_listed_answer_is_in_the_openapi_document_and_every_documented_one_in_the_list(
    http: httpx.AsyncClient, say: Callable[[str], None]
) -> None:
    found = {plain(operation.name): operation for operation in await operations(http)}
    for name, answers in OPERATIONS.items():
        documented = {int(status) for status in found[plain(name)].about["responses"] if status.isdigit()}
        anywhere = {503}  # the database may be away; proved once
        assert answers.keys() <= documented, (name, answers.keys() - documented)
        assert documented - anywhere <= answers.keys(), (name, documented - answers.keys())
    rows = sum(len(answers) for answers in OPERATIONS.values()) + len(GENERAL)
    say(f"checklist: {len(OPERATIONS)} operations, {rows} rows, {len(NAMED)} tests")


async def test_every_named_test_is_collected() -> None:
    files = {str(TESTS / name.partition("::")[0]) for name in NAMED}
    command = (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *sorted(files))
    collecting = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(collecting.communicate(), 60)
    collected = {line.partition("[")[0].removeprefix("tests/") for line in output.decode().splitlines()}
    assert NAMED - collected == set()
