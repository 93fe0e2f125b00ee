"""Who may ask how often: the rules, and what one more request makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from models.errors import Unavailable
from models.settings import Settings
from services.principal import Principal
from stores.limits import Count, Limits, Window


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request learns about the tightest of the limits it counts for."""

    limit: int
    remaining: int
    reset_s: int
    """Seconds until the window ends, at least 1."""
    is_refused: bool

    @classmethod
    def of(cls, counts: Sequence[Count]) -> Self:
        """Of one count at least: what refuses goes before what does not, then what leaves least, then what lasts."""
        tightest = min(counts, key=lambda count: (not count.is_over, count.remaining, -count.left_ms))
        reset_s = max(1, -(-tightest.left_ms // 1000))
        return cls(tightest.window.limit, tightest.remaining, reset_s, tightest.is_over)


# --- the rules: no window where the limit is 0 ------------------------------------------------------------
def address_windows(settings: Settings, network: str) -> tuple[Window, ...]:
    """Of requests that come before anybody is known."""
    window = Window(f"limit:auth:{{{network}}}", settings.limit_auth_per_ip, settings.limit_auth_window_s)
    return _counted(window)


def user_windows(settings: Settings, principal: Principal, *, is_outbound_call: bool) -> tuple[Window, ...]:
    """Of everybody else's; a key with a limit of its own is counted apart from its user."""
    user, limit = f"{{{principal.user_id}}}", settings.limit_api_per_user
    key = f"limit:api:{user}"
    if principal.key_id is not None and principal.limit is not None:
        key, limit = f"limit:key:{principal.key_id}:{user}", principal.limit
    api = Window(key, limit, settings.limit_api_window_s)
    if not is_outbound_call:
        return _counted(api)
    outbound = Window(f"limit:outbound:{user}", settings.limit_outbound_per_user, settings.limit_outbound_window_s)
    return _counted(api, outbound)


def _counted(*windows: Window) -> tuple[Window, ...]:
    return tuple(window for window in windows if window.limit > 0)


class RateLimits:
    """Counts requests; None where nothing limits them."""

    def __init__(self, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits

    async def by_address(self, network: str) -> Verdict | None:
        """One more attempt from this network; raises Unavailable when it cannot be counted: passwords are at stake."""
        return await self._verdict(address_windows(self._settings, network))

    async def by_user(self, principal: Principal, *, is_outbound_call: bool) -> Verdict | None:
        """One more request of this user or key; None also when it cannot be counted, because the API goes on."""
        try:
            return await self._verdict(user_windows(self._settings, principal, is_outbound_call=is_outbound_call))
        except Unavailable:
            return None

    async def _verdict(self, windows: Sequence[Window]) -> Verdict | None:
        return Verdict.of(await self._limits.hit(windows)) if windows else None
