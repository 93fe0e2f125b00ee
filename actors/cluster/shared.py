"""What every process of a cluster must be given the same: one machine makes it up by itself, several cannot."""

from models.settings import Settings

NEEDED = ("mongodb_url", "redis_url", "secret_key", "encryption_key")


def missing(settings: Settings) -> list[str]:
    """The environment variables a cluster needs and that are empty."""
    return [name.upper() for name in NEEDED if not _value(settings, name)]


def _value(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value or ""
