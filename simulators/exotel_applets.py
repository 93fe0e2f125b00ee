"""What a flow's Connect applet asks the platform after the stream, and reads of the answer. Pure.

Wire format: developer.exotel.com, "Connect applet", dynamic URL: GET with `Exotel-Version: 1.0`, answered in JSON.
"""

import json
import re

from simulators.exotel_calls import CallState, stamp

CONNECT_HEADERS = {"Exotel-Version": "1.0"}
CONNECT_TIMEOUT_S = 5.0

_NUMBER = re.compile(r"\+?\d{5,15}")


def connect_query(call: CallState) -> dict[str, str]:
    """The query of the request. `EndTime` is this constant while the call goes on."""
    return {
        "CallSid": call.sid,
        "CallFrom": call.from_number,
        "CallTo": call.to_number,
        "Direction": "incoming" if call.direction == "inbound" else "outbound-dial",
        "Created": stamp(call.created),
        "StartTime": stamp(call.answered or call.created),
        "EndTime": "1970-01-01 05:30:00",
        "CallType": "call-attempt",
        "From": call.from_number,
        "To": call.to_number,
    }


def numbers_in(answer: str) -> tuple[str, ...] | None:
    """Whom to dial, in this order; None for an answer that the applet would not understand."""
    try:
        body = json.loads(answer)
        numbers = body["destination"]["numbers"]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(numbers, list) or not all(isinstance(each, str) and _NUMBER.fullmatch(each) for each in numbers):
        return None
    return tuple(numbers)
