"""The `callboard` command: `up`, `deploy`, `drain`, `doctor` and `admin`."""

import argparse
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from cli.admin import admin
from cli.deploy import deploy
from cli.doctor import doctor
from cli.drain import drain
from cli.terminal import Terminal
from cli.up import REFUSED, up
from models.settings import Settings


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point; exits with the command's status."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = Settings()
    except ValidationError as error:
        Terminal().error(_in_one_line(error))
        sys.exit(REFUSED)
    match chosen.command:
        case "up":
            sys.exit(up(settings, demo=chosen.demo))
        case "deploy":
            sys.exit(deploy(settings))
        case "drain":
            sys.exit(drain(settings, node=chosen.node, wait_s=chosen.wait, is_leaving=chosen.leave))
        case "doctor":
            sys.exit(doctor(settings))
        case "admin":
            sys.exit(admin(settings, chosen.email))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="callboard", description="AI phone calls on Ray.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("up", help="run everything on this machine until Ctrl-C")
    run.add_argument("--demo", action="store_true", help="with a demo account and a simulated call")
    commands.add_parser("deploy", help="put this version on the Ray at RAY_ADDRESS; calls under way are not cut")
    drains = commands.add_parser("drain", help="take no new calls and wait for those under way")
    drains.add_argument("--node", help="only on this one: its address, or how its Ray id begins")
    drains.add_argument("--wait", type=float, metavar="SECONDS", help="how long to wait; default: the longest call")
    drains.add_argument("--leave", action="store_true", help="the node goes away: its replicas move elsewhere, too")
    commands.add_parser("doctor", help="say what is there, what is missing and what to do about it")
    administrator = commands.add_parser("admin", help="let a user run this installation, such as credit accounts")
    administrator.add_argument("email", metavar="EMAIL", help="the address they signed up with")
    return parser


def _in_one_line(error: ValidationError) -> str:
    wrong = [f"{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors() if each["loc"]]
    return "; ".join(wrong) or str(error).splitlines()[0]
