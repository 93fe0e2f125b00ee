"""The table from errors to HTTP, without a server."""

import pytest
from fastapi.exceptions import RequestValidationError
from pymongo.errors import AutoReconnect, ExecutionTimeout, NetworkTimeout, ServerSelectionTimeoutError, WTimeoutError
from starlette.exceptions import HTTPException

from models.errors import (
    CallboardError,
    Conflict,
    FieldError,
    Forbidden,
    InsufficientCredits,
    Invalid,
    InvalidTransition,
    NoCapacity,
    NotFound,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from serve_app.errors import answer_to, refused_field

DOCUMENTED = {
    "VALIDATION_ERROR",
    "UNAUTHORIZED",
    "FORBIDDEN",
    "NOT_FOUND",
    "DUPLICATE_RESOURCE",
    "INSUFFICIENT_CREDITS",
    "EXTERNAL_SERVICE_ERROR",
    "RATE_LIMIT_EXCEEDED",
    "INTERNAL_ERROR",
}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Invalid(), 400, "VALIDATION_ERROR"),
        (Unauthenticated("no"), 401, "UNAUTHORIZED"),
        (InsufficientCredits("no"), 402, "INSUFFICIENT_CREDITS"),
        (Forbidden("no"), 403, "FORBIDDEN"),
        (NotFound("no"), 404, "NOT_FOUND"),
        (Conflict("no"), 409, "DUPLICATE_RESOURCE"),
        (ProviderError("no", provider="exotel", retryable=True), 502, "EXTERNAL_SERVICE_ERROR"),
        (NoCapacity("no"), 503, "INTERNAL_ERROR"),
        (InvalidTransition("no"), 500, "INTERNAL_ERROR"),
        (AutoReconnect("no"), 503, "INTERNAL_ERROR"),
        (ServerSelectionTimeoutError("no"), 503, "INTERNAL_ERROR"),
        (NetworkTimeout("no"), 503, "INTERNAL_ERROR"),
        (ExecutionTimeout("no"), 503, "INTERNAL_ERROR"),
        (WTimeoutError("no"), 503, "INTERNAL_ERROR"),
        (HTTPException(404), 404, "NOT_FOUND"),
        (HTTPException(405), 405, "NOT_FOUND"),
        (HTTPException(413), 413, "VALIDATION_ERROR"),
        (HTTPException(500), 500, "INTERNAL_ERROR"),
        (RequestValidationError([]), 400, "VALIDATION_ERROR"),
        (KeyError("no"), 500, "INTERNAL_ERROR"),
    ],
)
def test_every_error_has_a_documented_answer(error: Exception, status: int, code: str) -> None:
    answer = answer_to(error)
    assert (answer.status, answer.problem.code) == (status, code)
    assert code in DOCUMENTED


def test_every_error_of_ours_has_a_documented_code() -> None:
    def below(kind: type[CallboardError]) -> set[type[CallboardError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert {kind.code for kind in below(CallboardError)} <= DOCUMENTED


@pytest.mark.parametrize(
    "error", [KeyError("secret"), CallboardError("secret"), AutoReconnect("secret:27017"), NoCapacity("secret")]
)
def test_what_is_our_fault_stays_with_us(error: Exception) -> None:
    assert "secret" not in answer_to(error).problem.message


def test_a_client_is_told_when_to_come_back() -> None:
    patient = ProviderError("no", provider="exotel", retryable=True, retry_after_s=0.2)
    assert answer_to(patient).headers == {"Retry-After": "1"}
    full = answer_to(NoCapacity("no", reason="draining", retry_after_s=17))
    assert (full.headers, full.problem.details) == ({"Retry-After": "17"}, {"retryAfter": 17})
    assert answer_to(Unavailable("no")).headers == {"Retry-After": "5"}
    assert answer_to(AutoReconnect("no")).headers == {"Retry-After": "5"}
    assert answer_to(ProviderError("no", provider="exotel", retryable=False)).headers == {}
    limited = answer_to(RateLimited(900))
    assert (limited.headers, limited.problem.details) == ({"Retry-After": "900"}, {"retryAfter": 900})


def test_who_is_not_let_in_is_told_what_would_be_accepted() -> None:
    assert answer_to(Unauthenticated("no")).headers == {"WWW-Authenticate": "Bearer"}
    assert answer_to(Unauthenticated("no", scheme="Basic")).headers == {"WWW-Authenticate": "Basic"}


@pytest.mark.parametrize(
    ("problem", "field", "message"),
    [
        (
            {"type": "string_too_short", "loc": ("body", "password"), "msg": "", "ctx": {"min_length": 8}},
            "password",
            "Password must be at least 8 characters",
        ),
        ({"type": "value_error", "loc": ("body", "email"), "msg": "a@b"}, "email", "Invalid email format"),
        (
            {"type": "value_error", "loc": ("body", "metadata"), "msg": "", "ctx": {"error": ValueError("is large")}},
            "metadata",
            "Metadata is large",
        ),
        ({"type": "missing", "loc": ("query", "token"), "msg": ""}, "token", "Token is required"),
        ({"type": "missing", "loc": ("body",), "msg": ""}, "body", "Body is required"),
        ({"type": "json_invalid", "loc": ("body", 17), "msg": ""}, "body", "The body is not valid JSON"),
        ({"type": "enum", "loc": ("body", "tags", 3), "msg": "{odd}"}, "tags.3", "{odd}"),
    ],
)
def test_pydantics_words_become_the_documents(problem: dict[str, object], field: str, message: str) -> None:
    assert refused_field(problem) == FieldError(field, message)
