"""Every error the product raises on purpose.

CallboardError
├── Invalid                 400 VALIDATION_ERROR
│   └── DoNotCall                                        the number is on a do-not-call list
├── Unauthenticated         401 UNAUTHORIZED
├── InsufficientCredits     402 INSUFFICIENT_CREDITS
├── Forbidden               403 FORBIDDEN
├── NotFound                404 NOT_FOUND
├── Conflict                409 DUPLICATE_RESOURCE
├── Unprocessable           422 VALIDATION_ERROR
├── RateLimited             429 RATE_LIMIT_EXCEEDED      `retry_after_s`
├── ProviderError           502 EXTERNAL_SERVICE_ERROR   a vendor or carrier; `retryable` says whether again may help
├── Unavailable             503 INTERNAL_ERROR           a part of ours is restarting or unreachable
│   ├── NoCapacity                                       every call actor is busy
│   └── CreditUnavailable                                the ledger's writer does not answer
└── InvalidTransition       500 INTERNAL_ERROR           our bug: an event the machine cannot be in
"""

from collections.abc import Sequence
from dataclasses import dataclass


class CallboardError(Exception):
    """Base of the tree: `status` and `code` are those of the public API."""

    status = 500
    code = "INTERNAL_ERROR"
    retryable = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field of a request, in the words of `error.details.fields`."""

    field: str
    message: str


class Invalid(CallboardError):
    """The request cannot be understood or breaks a documented rule."""

    status = 400
    code = "VALIDATION_ERROR"

    def __init__(self, message: str = "Validation failed", *, fields: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.fields = tuple(fields)


class DoNotCall(Invalid):
    """The number is on the organization's do-not-call list, or on the installation's."""

    def __init__(self) -> None:
        super().__init__(fields=[FieldError("toPhone", "The number is on the do-not-call list")])


class Unauthenticated(CallboardError):
    """No valid credentials came with the request."""

    status = 401
    code = "UNAUTHORIZED"

    def __init__(self, message: str, *, scheme: str = "Bearer") -> None:
        super().__init__(message)
        self.scheme = scheme
        """What would be accepted, as in the header WWW-Authenticate."""


class InsufficientCredits(CallboardError):
    """The account cannot pay for what was asked."""

    status = 402
    code = "INSUFFICIENT_CREDITS"


class Forbidden(CallboardError):
    """Known, but not allowed."""

    status = 403
    code = "FORBIDDEN"


class NotFound(CallboardError):
    """No such thing in this organization."""

    status = 404
    code = "NOT_FOUND"


class Conflict(CallboardError):
    """The thing exists already, or its state forbids the request."""

    status = 409
    code = "DUPLICATE_RESOURCE"


class Unprocessable(CallboardError):
    """Well formed, but it contradicts what was said before, such as another body under a used idempotency key."""

    status = 422
    code = "VALIDATION_ERROR"


class RateLimited(CallboardError):
    """Too many requests."""

    status = 429
    code = "RATE_LIMIT_EXCEEDED"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("Too many requests, please try again later")
        self.retry_after_s = retry_after_s


class ProviderError(CallboardError):
    """A vendor or carrier refused, failed or stalled."""

    status = 502
    code = "EXTERNAL_SERVICE_ERROR"

    def __init__(self, message: str, *, provider: str, retryable: bool, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.provider = provider
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class Unavailable(CallboardError):
    """A part of ours cannot answer now; the caller may try again shortly."""

    status = 503
    retryable = True


class NoCapacity(Unavailable):
    """No call can be taken on now; `reason` is a word for logs and metrics."""

    def __init__(self, message: str, *, reason: str = "full", retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s


class CreditUnavailable(Unavailable):
    """The ledger's writer does not answer; nothing is known to have been written."""


class InvalidTransition(CallboardError):
    """A state machine was fed something it rules out: a bug of ours."""
