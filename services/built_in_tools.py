"""The functions every agent may be given, as the language model sees them. Pure."""

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType

from models.agent import NOTES_CHARS
from models.tool import SET_DISPOSITION, BuiltIn, Tools
from providers.roles import ToolSpec

TEXT_CHARS = 1_000

_REASON = {"type": "string", "maxLength": 500, "description": "Why, in a few words, for the log."}


def _object(properties: Mapping[str, object], *required: str) -> Mapping[str, object]:
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


_SPECS: Mapping[BuiltIn, ToolSpec] = MappingProxyType(
    {
        "end_call": ToolSpec(
            "end_call",
            "Hang up. Call it when the conversation is over: the caller has said goodbye, wants nothing more, or asks "
            "to end the call. Say goodbye in the same reply; it is spoken to its end before the line is cut.",
            _object({"reason": _REASON}),
        ),
        "transfer_call": ToolSpec(
            "transfer_call",
            "Transfer the caller to a person. Call it when the caller asks for a person or when you cannot help. Tell "
            "the caller in the same reply that you are transferring them; after that you leave the call.",
            _object({"reason": _REASON}),
        ),
        "send_dtmf": ToolSpec(
            "send_dtmf",
            "Press keys on the phone's keypad, for instance to choose from a menu when a machine has answered.",
            _object(
                {
                    "digits": {
                        "type": "string",
                        "pattern": r"^[0-9*#A-Da-d .-]{1,64}$",
                        "description": "The keys in order: 0-9, *, # and A-D, such as 1 or 4021#.",
                    }
                },
                "digits",
            ),
        ),
        "send_sms": ToolSpec(
            "send_sms",
            "Send a text message to the phone of the person you are talking to. Only when they have agreed to it.",
            _object(
                {
                    "text": {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": TEXT_CHARS,
                        "description": "The whole message, as it is to be read.",
                    }
                },
                "text",
            ),
        ),
    }
)


def built_in_specs(tools: Tools, *, without: Container[str] = ()) -> tuple[ToolSpec, ...]:
    """Those that are switched on and can be done: `transfer_call` takes a number to transfer to."""
    names = tuple(dict.fromkeys(tools.built_in))
    return tuple(
        _SPECS[name] for name in names if name not in without and (name != "transfer_call" or tools.transfer_to)
    )


def disposition_spec(words: Sequence[str]) -> ToolSpec:
    """The function that says what the call came to, in one of these words."""
    return ToolSpec(
        SET_DISPOSITION,
        "Note what this call came to, for the log. Call it as soon as you know, and again should it change; at the "
        "latest together with the function that ends the call. The caller hears nothing of it.",
        _object(
            {
                "name": {"type": "string", "enum": list(words), "description": "What the call came to."},
                "notes": {"type": "string", "maxLength": NOTES_CHARS, "description": "What a colleague should know."},
            },
            "name",
        ),
    )
