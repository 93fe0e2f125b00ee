"""Carrier and vendor secrets at rest: Fernet (AES-128-CBC with HMAC-SHA256) under the key of the settings."""

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr

from models.errors import CallboardError


class Secrets:
    """Seals and opens short texts. Sealed texts go into documents; opened ones live only in memory."""

    def __init__(self, key: SecretStr) -> None:
        try:
            self._fernet = Fernet(key.get_secret_value())
        except ValueError as error:
            raise CallboardError("ENCRYPTION_KEY must be 32 bytes in url-safe base64 (a Fernet key)") from error

    def seal(self, text: str) -> str:
        """The text, encrypted and authenticated; different each time."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text that was sealed; raises CallboardError when it was sealed under another key or altered."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise CallboardError("A stored secret does not open with the present ENCRYPTION_KEY") from error
