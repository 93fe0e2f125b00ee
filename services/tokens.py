"""Tokens in the addresses we hand to carriers: a MAC of a purpose and an id under the product's secret. Pure.

Exotel signs none of its callbacks, so knowing an unguessable address of one call or one phone is what authenticates it.
"""

import base64
import hashlib
import hmac
from typing import Literal

Purpose = Literal["media", "call", "phone", "recording", "sms"]
"""`media`: a session's media socket; `call`: a call's status callbacks; `phone`: a number's webhooks; `recording`: a
call's audio; `sms`: a text message's status callbacks."""

_BYTES = 18
"""144 bits: far beyond guessing, and 24 characters in an address that must stay below 256."""


def token_for(secret: str, purpose: Purpose, subject: str) -> str:
    """24 url-safe characters that only the holder of `secret` can make for this purpose and id."""
    # No purpose contains a colon, so no two (purpose, subject) pairs share a message.
    digest = hmac.digest(secret.encode(), f"{purpose}:{subject}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:_BYTES]).decode()


def is_token_for(secret: str, purpose: Purpose, subject: str, token: str) -> bool:
    """Whether `token` is the one made for them; takes the same time for every wrong one."""
    expected = token_for(secret, purpose, subject)
    return hmac.compare_digest(expected.encode(), token.encode("utf-8", "surrogatepass"))
