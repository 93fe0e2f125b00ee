"""What the tests of the contract share: an account for each file, and a client per test."""

import sys
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import httpx
import pytest

from models.settings import Settings
from simulators.caller import Script
from simulators.carrier import Carrier, Plan
from simulators.exotel_calls import Outcome
from simulators.llm import LlmServer
from tests.integration.product.contract.client import Client, open_account
from tests.integration.product.contract.webhooks import Webhooks
from tests.integration.product.customer import Account
from tests.integration.product.world import carrier_of

BUSY = Plan(Script(()), outcome=Outcome.BUSY, dial_s=0.02, ring_s=0.02)
RINGING = Plan(Script(()), dial_s=0.02, ring_s=60.0)


@pytest.fixture(scope="package")
def api_url(platform: Settings) -> str:
    """Where the REST API is."""
    return f"http://127.0.0.1:{platform.port}/api/v1"


def fresh_account(api_url: str) -> Account:
    """A new account; files whose tests place many calls make it their `account`."""
    return open_account(api_url, "tenant")


account = pytest.fixture(fresh_account, scope="module")
"""The account of one file of tests."""


@pytest.fixture(scope="module")
def stranger(api_url: str) -> Account:
    """Another tenant of the same file."""
    return open_account(api_url, "stranger")


@pytest.fixture
async def http(api_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Connections to the product."""
    async with httpx.AsyncClient(base_url=api_url, timeout=30.0, verify=False) as client:
        yield client


@pytest.fixture
def client(http: httpx.AsyncClient, account: Account) -> Client:
    """The file's account, asking."""
    return Client(http, account.access)


@pytest.fixture
async def webhooks(platform: Settings, http: httpx.AsyncClient) -> AsyncIterator[Webhooks]:
    """The carrier's side of HTTP; what still rings after the test is over then, so that the next one has room."""
    side = Webhooks(http, platform)
    yield side
    await side.all_give_up()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Puts a line of figures into the output of the test run, whether it captures or not."""

    def write(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return write


@pytest.fixture
def nobody(http: httpx.AsyncClient) -> Client:
    """Somebody without a token."""
    return Client(http)


@pytest.fixture
async def carrier(platform: Settings, webhooks: Webhooks) -> AsyncIterator[Carrier]:
    """The carrier that the product dials at; callees are busy unless told otherwise."""
    async with carrier_of(platform, BUSY) as running:
        yield running


@pytest.fixture
async def llm(platform: Settings) -> AsyncIterator[LlmServer]:
    """The language model that the product asks."""
    async with LlmServer(port=urlsplit(platform.openai_base_url or "").port or 0) as running:
        yield running
