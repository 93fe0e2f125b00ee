"""The running product's operations, read from its own OpenAPI document."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

METHODS = ("get", "put", "post", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One method of one path, as the document describes it."""

    method: str
    path: str
    about: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`GET /agents/{agent_id}`."""
        return f"{self.method} {self.path}"

    @property
    def is_secured(self) -> bool:
        """Whether it asks for a token."""
        return bool(self.about.get("security"))

    @property
    def placeholders(self) -> list[str]:
        """Its path parameters, each with the segment before it: `agents/{agent_id}`."""
        return re.findall(r"[^/]+/\{[^/]+\}", self.path)

    def at(self, ids: Mapping[str, str]) -> str:
        """The path with an id for each placeholder."""
        path = self.path
        for placeholder in self.placeholders:
            path = path.replace(placeholder, f"{placeholder.partition('/')[0]}/{ids[placeholder]}")
        return path


async def operations(http: httpx.AsyncClient) -> list[Operation]:
    """All of them, in the document's order."""
    document = (await http.get("/openapi.json")).json()
    return operations_in(document)


def operations_in(document: Mapping[str, Any]) -> list[Operation]:
    """All of a document's, in its order."""
    return [
        Operation(method.upper(), path, about)
        for path, methods in document["paths"].items()
        for method, about in methods.items()
        if method in METHODS
    ]
