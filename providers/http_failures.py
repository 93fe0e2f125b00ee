"""From HTTP trouble to ProviderError, the same for every vendor that is reached over HTTP."""

from collections.abc import Mapping

from models.errors import ProviderError

_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


def status_failure(provider: str, status: int, headers: Mapping[str, str]) -> ProviderError:
    """A refused request; the vendor's own words are left out, they may quote what was sent."""
    return ProviderError(
        f"{provider} answered HTTP {status}",
        provider=provider,
        retryable=status in _RETRYABLE,
        retry_after_s=retry_after_s(headers),
    )


def connection_failure(provider: str, error: Exception) -> ProviderError:
    """No answer, or half of one."""
    return ProviderError(
        f"the connection to {provider} failed: {type(error).__name__}", provider=provider, retryable=True
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """RFC 9110 Retry-After in its form of seconds; the date form and nonsense count as absent."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None
