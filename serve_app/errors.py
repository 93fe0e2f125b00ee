"""Errors as HTTP: one table of what the canonical API says for each, and the handlers that say it."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from models.errors import (
    CallboardError,
    FieldError,
    Invalid,
    NoCapacity,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from serve_app.envelope import Failure, Problem
from serve_app.rate_limits import NOTED
from stores.outage import AWAY

log = logging.getLogger(__name__)

INTERNAL = "Something went wrong on our side"
BUSY = "All lines are busy, try again"
RETRY_S = 5
"""When a client may come back to something that is busy or restarting."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An error as HTTP, before it is bytes."""

    status: int
    problem: Problem
    headers: Mapping[str, str] = field(default_factory=dict)


# --- the table -----------------------------------------------------------------------------------------
def answer_to(error: Exception) -> Answer:
    """What to say to an error; of one that nobody expected, nothing."""
    for kind, answer in TABLE.items():
        if isinstance(error, kind):
            return answer(error)
    return Answer(500, Problem(code="INTERNAL_ERROR", message=INTERNAL))


def _ours(error: Any) -> Answer:
    message = INTERNAL if error.status == HTTPStatus.INTERNAL_SERVER_ERROR else error.message
    return Answer(error.status, Problem(code=error.code, message=message))


def _unauthenticated(error: Any) -> Answer:
    return Answer(error.status, Problem(code=error.code, message=error.message), {"WWW-Authenticate": error.scheme})


def _invalid(error: Any) -> Answer:
    fields = [{"field": refused.field, "message": refused.message} for refused in error.fields]
    details = {"fields": fields} if fields else {}
    return Answer(error.status, Problem(code=error.code, message=error.message, details=details))


def _provider(error: Any) -> Answer:
    wait = error.retry_after_s
    headers = {} if wait is None else {"Retry-After": str(math.ceil(wait))}
    return Answer(error.status, Problem(code=error.code, message=error.message), headers)


def _rate_limited(error: Any) -> Answer:
    wait = error.retry_after_s
    problem = Problem(code=error.code, message=error.message, details={"retryAfter": wait})
    return Answer(error.status, problem, {"Retry-After": str(wait)})


def _no_capacity(error: Any) -> Answer:
    wait = error.retry_after_s
    problem = Problem(code=error.code, message=BUSY, details={"retryAfter": wait})
    return Answer(error.status, problem, {"Retry-After": str(wait)})


def _try_later(error: Any) -> Answer:
    message = error.message if isinstance(error, CallboardError) else "The service is starting or busy, try again"
    return Answer(503, Problem(code="INTERNAL_ERROR", message=message), {"Retry-After": str(RETRY_S)})


def _validation(error: Any) -> Answer:
    return _invalid(Invalid(fields=[refused_field(problem) for problem in error.errors()]))


def _http(error: Any) -> Answer:
    code = "NOT_FOUND" if error.status_code in (404, 405) else "VALIDATION_ERROR"
    code = code if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else "INTERNAL_ERROR"
    phrase = HTTPStatus(error.status_code).phrase
    return Answer(error.status_code, Problem(code=code, message=phrase), error.headers or {})


TABLE: Mapping[type[Exception], Callable[[Any], Answer]] = {
    Invalid: _invalid,
    ProviderError: _provider,
    RateLimited: _rate_limited,
    Unauthenticated: _unauthenticated,
    NoCapacity: _no_capacity,
    Unavailable: _try_later,
    CallboardError: _ours,
    RequestValidationError: _validation,
    HTTPException: _http,
    **dict.fromkeys(AWAY, _try_later),
}
"""The first line that fits counts; a subclass stands before its base."""


# --- validation ---------------------------------------------------------------------------------------
def refused_field(problem: Mapping[str, Any]) -> FieldError:
    """One of pydantic's errors in the API's words: the client's dotted path, and a sentence without the value."""
    path = [str(part) for part in _inside(problem["loc"])] or ["body"]
    name, kind = path[-1], problem["type"]
    sentence = SENTENCES.get((kind, name)) or SENTENCES.get((kind, ""))
    if sentence is None:
        return FieldError(".".join(path), problem["msg"])
    facts = {**problem.get("ctx", {}), "name": name[:1].upper() + name[1:]}
    return FieldError(".".join(path), sentence.format_map(facts))


SENTENCES: Mapping[tuple[str, str], str] = {
    ("missing", ""): "{name} is required",
    ("string_too_short", ""): "{name} must be at least {min_length} characters",
    ("string_too_long", ""): "{name} must be at most {max_length} characters",
    ("value_error", "email"): "Invalid email format",
    ("value_error", ""): "{name} {error}",
    ("json_invalid", ""): "The body is not valid JSON",
}
"""By pydantic's type of error and the field's name; no name: any field."""


def _inside(loc: Sequence[str | int]) -> Sequence[str | int]:
    """The path without where FastAPI found it; of broken JSON, without the position."""
    return [part for part in loc[1:] if isinstance(part, str) or len(loc) > 2]


# --- the handlers ---------------------------------------------------------------------------------------
def add_error_handlers(app: Starlette) -> None:
    """Have the application answer every error from the table."""
    for kind in (CallboardError, RequestValidationError, HTTPException, *AWAY):
        app.add_exception_handler(kind, _expected)
    app.add_exception_handler(Exception, _unexpected)


async def _expected(request: Request, error: Exception) -> JSONResponse:
    answer = answer_to(error)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("a request failed", extra=_about(request, error))
    return _rendered(answer)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("a request failed unexpectedly", extra=_about(request, error))
    answer = _rendered(answer_to(error))
    answer.headers.update(request.scope.get(NOTED, {}))  # no middleware of ours sees this answer
    return answer


def _about(request: Request, error: Exception) -> dict[str, str]:
    """What a log line may say: the route, never the address with its tokens, and the kind of error, never its text."""
    route = request.scope.get("route")
    return {"method": request.method, "route": getattr(route, "path", ""), "error": type(error).__name__}


def _rendered(answer: Answer) -> JSONResponse:
    body = Failure(error=answer.problem).model_dump(by_alias=True)
    return JSONResponse(body, status_code=answer.status, headers=dict(answer.headers))
