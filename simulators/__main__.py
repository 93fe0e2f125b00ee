"""The simulators as processes: `serve` runs carrier and vendors, `dial-in` calls one of the platform's numbers."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from simulators.behaviour import Behaviour, Series
from simulators.call import Recorder
from simulators.carrier import Account, Carrier, CarrierCall, NotConnected, Plan
from simulators.dialogue import NAME
from simulators.llm import LlmServer
from simulators.scripts import SCRIPTS
from simulators.tts import TtsServer

_FAILED = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_serve(options) if options.command == "serve" else _dial_in(options))
    except OSError as problem:
        print(f"simulators: {problem}", file=sys.stderr)
        return _FAILED


async def _serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT. Standard output: one JSON line when ready, and one per finished call."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    plan = Plan(SCRIPTS[options.script], dial_s=0.2, ring_s=max(0.0, options.answer_ms / 1000 - 0.2))
    account = Account(options.account_sid, options.api_key, options.api_token)
    llm_pace = Behaviour(options.llm_first_token_ms / 1000, options.llm_tokens_per_s)
    async with (
        LlmServer(port=options.llm_port, behaviours=Series(llm_pace)) as llm,
        TtsServer(port=options.tts_port, behaviours=Series(Behaviour(options.tts_first_byte_ms / 1000))) as tts,
        Carrier(
            plan,
            port=options.carrier_port,
            account=account,
            recorder=Recorder(options.out),
            on_end=lambda call: _note(call, options.out),
        ) as carrier,
    ):
        ready = {
            "event": "ready",
            "carrierPort": carrier.port,
            "llmPort": llm.port,
            "ttsPort": tts.port,
            "carrierUrl": carrier.url,
            "llmUrl": llm.base_url,
            "ttsUrl": tts.url,
            "accountSid": account.sid,
            "llm": NAME,
        }
        print(json.dumps(ready), flush=True)
        await stopped.wait()
    return 0


async def _dial_in(options: argparse.Namespace) -> int:
    """One inbound call; standard output: its report as JSON."""
    script = SCRIPTS[options.script]
    recorder = Recorder(options.out) if options.out else None
    async with Carrier(Plan(script), account=Account(options.account_sid), recorder=recorder) as carrier:
        try:
            call = await carrier.call_in(
                options.webhook,
                script,
                from_number=options.from_number,
                to_number=options.to_number,
                callback_url=options.status_callback,
            )
        except NotConnected as problem:
            print(f"not connected: {problem}", file=sys.stderr)
            return _FAILED
    print(json.dumps(call.report.as_json() if call.report else None))
    return 0


def _note(call: CarrierCall, directory: Path) -> None:
    """Keep the report beside the recording, and say that the call is over."""
    ended: dict[str, object] = {"event": "ended", "callSid": call.state.sid, "status": call.state.status}
    if call.report:
        path = directory / f"{call.state.sid}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(call.report.as_json(), indent=2) + "\n")
        ended |= {"report": str(path), "recording": str(call.report.recording) if call.report.recording else None}
    print(json.dumps(ended), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    account = Account()
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--script", choices=sorted(SCRIPTS), default="demo", help="what the caller does")
    shared.add_argument("--account-sid", default=account.sid)

    serve = commands.add_parser("serve", parents=[shared], help="run carrier, language model and voice servers")
    for name in ("carrier", "llm", "tts"):
        serve.add_argument(f"--{name}-port", type=int, default=0, help="0 picks a free one")
    serve.add_argument("--llm-first-token-ms", type=float, default=300.0)
    serve.add_argument("--llm-tokens-per-s", type=float, default=60.0)
    serve.add_argument("--tts-first-byte-ms", type=float, default=150.0)
    serve.add_argument("--answer-ms", type=float, default=1000.0, help="from the order to the answer")
    serve.add_argument("--api-key", default=account.api_key)
    serve.add_argument("--api-token", default=account.api_token)
    serve.add_argument("--out", type=Path, default=Path("recordings"), help="directory of recordings and reports")

    dial_in = commands.add_parser("dial-in", parents=[shared], help="call one of the platform's numbers")
    dial_in.add_argument("--webhook", required=True, help="the platform's incoming-call webhook")
    dial_in.add_argument("--from", dest="from_number", required=True)
    dial_in.add_argument("--to", dest="to_number", required=True)
    dial_in.add_argument("--status-callback", help="where the end of the call is reported")
    dial_in.add_argument("--out", type=Path, help="directory for the recording")
    return parser


if __name__ == "__main__":
    sys.exit(main())
