"""What carriers' webhooks must bring besides the token in their address: optional, and the same for all of them."""

import hmac
from base64 import b64encode

from fastapi import Request

from models.errors import Forbidden, Unauthenticated
from models.settings import Settings
from serve_app.client_address import client_ip, parsed


class WebhookGate:
    """A dependency of all webhooks: the networks they come from, then the Basic credentials they send."""

    def __init__(self, settings: Settings) -> None:
        self._networks = settings.webhook_networks
        self._credentials = b64encode(settings.webhook_basic_auth.get_secret_value().encode())
        self._trusted_proxies = settings.trusted_proxies

    async def __call__(self, request: Request) -> None:
        """Raises Forbidden and Unauthenticated."""
        if self._networks and not self._is_from_them(request):
            raise Forbidden("Webhooks are not accepted from this address")
        if self._credentials and not self._has_credentials(request):
            raise Unauthenticated("Webhooks need credentials", scheme="Basic")

    def _is_from_them(self, request: Request) -> bool:
        address = parsed(client_ip(request, self._trusted_proxies))
        return address is not None and any(address in network for network in self._networks)

    def _has_credentials(self, request: Request) -> bool:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        # Latin-1 is what headers are read as; base64 is all that can be equal.
        is_right = hmac.compare_digest(sent.strip().encode("latin-1"), self._credentials)
        return scheme.lower() == "basic" and is_right
