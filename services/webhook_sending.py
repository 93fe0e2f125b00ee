"""One attempt to deliver: sign, send, note what came back. Used by the runner and by an endpoint's test."""

from datetime import datetime

from models.errors import CallboardError
from models.webhook import Attempt, WebhookEndpoint
from providers.webhooks import Post
from services.webhook_rules import headers
from stores.secrets import Secrets


class WebhookSending:
    """Knows the secrets; keeps nothing."""

    def __init__(self, secrets: Secrets, post: Post) -> None:
        self._secrets = secrets
        self._post = post

    async def attempt(
        self, endpoint: WebhookEndpoint, *, event: str, event_id: str, body: str, now: datetime
    ) -> tuple[Attempt, dict[str, str]]:
        """What came of it, and the headers it went with; raises nothing of the receiver's."""
        content = body.encode()
        sent: dict[str, str] = {}
        try:
            sent = headers(event, event_id, content, self._secrets.open(endpoint.encrypted_secret), now)
            answer = await self._post.send(endpoint.url, sent, content)
        except CallboardError as error:  # nobody there, a forbidden address, a secret under another key
            return Attempt(at=now, elapsed_ms=0, error=error.message), sent
        attempt = Attempt(at=now, elapsed_ms=answer.elapsed_ms, status_code=answer.status, response_body=answer.text)
        return attempt, sent
