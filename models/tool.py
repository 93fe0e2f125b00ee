"""Functions an agent may call: its own over HTTP, and the built-in ones by name."""

from typing import Annotated, Any, Literal

from pydantic import Field

from models.document import Model

ToolName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[ -~]{0,2000}$")]
"""Printable ASCII. At rest it is encrypted, which makes it longer; clients may send 1,000 characters."""
BuiltIn = Literal["end_call", "transfer_call", "send_dtmf", "send_sms"]
SET_DISPOSITION = "set_disposition"
"""What an agent with dispositions calls to say which one it is; a function of its owner's by this name comes first."""


class HttpTool(Model):
    """A function of the agent's owner: its arguments go to `url` as JSON (as the query for GET), the answer's body
    to the language model. `parameters` is a JSON Schema of an object; `filler` is said while the caller waits."""

    name: ToolName
    description: Annotated[str, Field(min_length=1, max_length=1000)]
    parameters: dict[str, Any] = Field(default_factory=lambda: {"type": "object", "properties": {}})
    url: Annotated[str, Field(pattern=r"^https?://", max_length=2000)]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Annotated[dict[HeaderName, HeaderValue], Field(max_length=20, repr=False)] = Field(default_factory=dict)
    """Sent with every request; they may hold keys, so what is stored is encrypted and what is shown is masked."""
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 8.0
    filler: Annotated[str, Field(max_length=300)] = "Let me check that for you."


class Tools(Model):
    """What the agent may do besides speaking. `transfer_to` is where `transfer_call` sends a caller (E.164).

    Nothing by default: some endpoints refuse a request that offers functions at all.
    """

    functions: Annotated[tuple[HttpTool, ...], Field(max_length=20)] = ()
    built_in: Annotated[tuple[BuiltIn, ...], Field(max_length=8)] = ()
    transfer_to: Annotated[str, Field(pattern=r"^(\+[1-9]\d{6,14})?$")] = ""
