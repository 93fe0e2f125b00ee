"""Counting tokens without the vendor: for endpoints that send no usage, and for replies that were cut off. Pure."""

import math
from collections.abc import Sequence

from providers.roles import Message

_CHARS_PER_TOKEN = 4


def estimate(messages: Sequence[Message], reply: str) -> int:
    """About how many tokens the messages and the reply are: four characters each, rounded up."""
    return math.ceil((sum(len(message.content) for message in messages) + len(reply)) / _CHARS_PER_TOKEN)
