"""What the model is offered in a call, and what becomes of its calls."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from models.errors import ProviderError
from models.tool import HttpTool, Tools
from providers.roles import ToolCall
from providers.tools.addresses import AddressGuard
from providers.tools.http import HttpTools
from services.tool_arguments import validator
from services.tools import SMS_PER_CALL, ToolRunner

WEATHER = HttpTool(
    name="get_weather",
    description="The weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    url="https://api.example.com/weather",
    headers={"X-Key": "s3cret"},
    filler="Let me look.",
)
ALL = Tools(
    functions=(WEATHER,),
    built_in=("end_call", "transfer_call", "send_dtmf", "send_sms", "end_call"),
    transfer_to="+919812345678",
)


class Phone:
    """Takes text messages, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.texts: list[str] = []
        self.failure = failure

    async def __call__(self, text: str) -> None:
        self.texts.append(text)
        if self.failure:
            raise self.failure


def sunny(request: httpx.Request) -> httpx.Response:
    assert request.headers["x-key"] == "s3cret"
    return httpx.Response(200, json={"sky": "sunny", "city": json.loads(request.content)["city"]})


def runner(
    tools: Tools = ALL,
    *,
    server: Callable[[httpx.Request], httpx.Response] = sunny,
    sms: Phone | None = None,
    can_transfer: bool = True,
    dispositions: tuple[str, ...] = (),
) -> ToolRunner:
    http = HttpTools(AddressGuard(), httpx.MockTransport(server))
    return ToolRunner(tools, http=http, sms=sms, can_transfer=can_transfer, dispositions=dispositions)


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall("call_1", name, json.dumps(arguments))


def offered(tools: ToolRunner) -> list[str]:
    return [spec.name for spec in tools.specs]


def test_what_is_switched_on_is_offered_once() -> None:
    names = ["get_weather", "end_call", "transfer_call", "send_dtmf", "send_sms"]
    assert offered(runner(sms=Phone())) == names
    assert offered(runner(Tools())) == []
    assert offered(runner(Tools(built_in=("end_call",)))) == ["end_call"]


def test_what_cannot_be_done_is_not_offered() -> None:
    assert "send_sms" not in offered(runner())
    assert "transfer_call" not in offered(runner(can_transfer=False))
    assert "transfer_call" not in offered(runner(Tools(built_in=("transfer_call",))))


def test_an_agent_with_words_for_its_calls_is_offered_to_say_one() -> None:
    tools = runner(Tools(), dispositions=("interested", "call back"))
    assert offered(tools) == ["set_disposition"]

    def problem(arguments: str) -> str | None:
        return tools.check(ToolCall("call_1", "set_disposition", arguments))

    assert problem('{"name": "call back", "notes": "Monday"}') is None
    assert "is not one of" in (problem('{"name": "sold"}') or "")
    assert "required" in (problem("{}") or "")


def test_every_offer_has_a_schema_and_a_description() -> None:
    for spec in runner(sms=Phone(), dispositions=("sold",)).specs:
        validator(spec.parameters)
        assert spec.description


async def test_a_function_is_asked_and_its_answer_told() -> None:
    assert await runner().run(call("get_weather", city="Pune")) == '{"sky":"sunny","city":"Pune"}'
    assert runner().filler(call("get_weather")) == "Let me look."
    assert runner().filler(call("end_call")) == ""


async def test_wrong_arguments_and_names_are_told_and_nothing_is_called() -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    tools = runner(server=never)
    assert await tools.run(call("get_weather")) == 'The arguments are wrong: "city" is a required property.'
    assert (await tools.run(call("get_stock"))).startswith("There is no function 'get_stock'")
    assert await tools.run(call("end_call")) == "end_call cannot be called now."


async def test_every_failure_is_told_in_words() -> None:
    def gone(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def bug(request: httpx.Request) -> httpx.Response:
        raise KeyError("s3cret")

    asked = call("get_weather", city="Pune")
    assert await runner(server=gone).run(asked) == "The function cannot be reached."
    assert await runner(server=bug).run(asked) == "The function failed for a reason on our side."
    inside = Tools(functions=(WEATHER.model_copy(update={"url": "http://10.0.0.1/"}),))
    assert await runner(inside).run(asked) == "The function's address must lead to the public internet."


async def test_a_text_message_is_sent_to_the_limit_of_a_call() -> None:
    phone = Phone()
    tools = runner(sms=phone)
    for _ in range(SMS_PER_CALL):
        assert await tools.run(call("send_sms", text="See you")) == "The text message is on its way."
    assert "No more than" in await tools.run(call("send_sms", text="See you"))
    assert phone.texts == ["See you"] * SMS_PER_CALL


async def test_a_text_message_the_carrier_refuses_is_told() -> None:
    phone = Phone(ProviderError("the carrier refused the text message", provider="exotel", retryable=False))
    assert await runner(sms=phone).run(call("send_sms", text="x")) == "the carrier refused the text message."
    assert "wrong" in await runner(sms=phone).run(call("send_sms", text=""))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (call("end_call"), None),
        (call("end_call", reason="done"), None),
        (call("transfer_call"), None),
        (call("transfer_call", to="+4911"), "The arguments are wrong"),
        (call("send_dtmf", digits="1 2#"), None),
        (call("send_dtmf", digits="- -"), "There is no digit"),
        (call("send_dtmf", digits="call me"), "The arguments are wrong"),
        (call("send_dtmf"), "The arguments are wrong"),
        (call("open_door"), "There is no function"),
    ],
)
def test_calls_that_the_machine_carries_out_can_be_checked(asked: ToolCall, problem: str | None) -> None:
    found = runner().check(asked)
    assert (found is None) if problem is None else (found or "").startswith(problem)
