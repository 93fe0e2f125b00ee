"""The addresses we hand out that must not be guessed, each with its own token; made and checked here only. Pure."""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

from models.call import SessionId
from models.document import Id
from models.errors import Unauthenticated
from models.settings import Settings
from services.tokens import Purpose, is_token_for, token_for


@dataclass(frozen=True, slots=True)
class WebhookKey:
    """What a webhook's query says it is about, and the token that proves we handed the address out."""

    about: Literal["call", "phone"]
    subject: str
    token: str


class CallAddresses:
    """Public addresses under `settings.base_url`, tokens under `settings.secret_key`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = settings.secret_key.get_secret_value()

    def media(self, session_id: SessionId) -> str:
        """Where the carrier connects the call's audio."""
        query = urlencode({"token": token_for(self._secret, "media", session_id)})
        return f"{self._settings.media_base_url}/audio/{session_id}?{query}"

    def status(self, call_id: Id) -> str:
        """Where the carrier reports on an outbound call."""
        return self._webhook("status", "call", call_id)

    def incoming(self, phone_id: Id) -> str:
        """Where the carrier asks what to do with a call to this number."""
        return self._webhook("incoming", "phone", phone_id)

    def connect(self, phone_id: Id) -> str:
        """Where the carrier asks whom to connect the caller to, once the agent has left the call."""
        return self._webhook("connect", "phone", phone_id)

    def sms(self, message_id: Id) -> str:
        """Where the carrier reports on a text message."""
        return self._webhook("sms", "sms", message_id)

    def recording(self, call_id: Id) -> str:
        """Where a player, which can send no header, gets the audio we recorded."""
        query = urlencode({"token": token_for(self._secret, "recording", call_id)})
        return f"{self._settings.base_url}/api/v1/calls/{call_id}/recording?{query}"

    def check_recording(self, call_id: str, token: str) -> None:
        """Raises Unauthenticated unless the token is this recording's."""
        self._check("recording", call_id, token)

    def check_media(self, session_id: str, token: str) -> None:
        """Raises Unauthenticated unless the token is this session's."""
        self._check("media", session_id, token)

    def check_webhook(self, key: WebhookKey) -> None:
        """Raises Unauthenticated unless the token is that of the call or phone it names."""
        self._check(key.about, key.subject, key.token)

    def check_sms(self, message_id: str, token: str) -> None:
        """Raises Unauthenticated unless the token is this text message's."""
        self._check("sms", message_id, token)

    def _webhook(self, event: str, about: Literal["call", "phone", "sms"], subject: Id) -> str:
        query = urlencode({about: subject, "token": token_for(self._secret, about, subject)})
        scheme, _, place = self._settings.base_url.partition("://")
        user, _, password = self._settings.webhook_basic_auth.get_secret_value().partition(":")
        login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
        return f"{scheme}://{login}{place}/api/v1/webhooks/exotel/{event}?{query}"

    def _check(self, purpose: Purpose, subject: str, token: str) -> None:
        if not is_token_for(self._secret, purpose, subject, token):
            raise Unauthenticated("Invalid token")
