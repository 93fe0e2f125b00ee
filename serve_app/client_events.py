"""What clients send over Socket.IO, read without trust. Pure."""

MAX_TOKEN = 4096
MAX_ID = 64


def text_of(payload: object, name: str, longest: int) -> str:
    """A text field of a client's payload; empty when there is none, or it is something else, or too long."""
    value = payload.get(name) if isinstance(payload, dict) else None
    return value if isinstance(value, str) and len(value) <= longest else ""


def wants_interim(payload: object) -> bool:
    """Whether it asks for what is not final too."""
    return isinstance(payload, dict) and payload.get("interim") is True
