"""How often somebody may do something. Counted in this process, or in a store that hosts share."""

from __future__ import annotations

import math
from functools import lru_cache

from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

from app.core import clock
from app.core.errors import TooMany


class Rates:
    """A rate is written like `10/minute`; `key` says whose it is."""

    def __init__(self, storage_uri: str, *, is_enabled: bool) -> None:
        """`storage_uri`: `memory://`, or `redis://…` shared between hosts."""
        self._is_enabled = is_enabled
        self._limiter = FixedWindowRateLimiter(storage_from_string(storage_uri))

    def take(self, rate: str, *key: str, cost: int = 1) -> None:
        """Count `cost` more. Raises TooMany when the rate is used up."""
        if not self._is_enabled or self._limiter.hit(_parsed(rate), *key, cost=cost):
            return
        ends_at = self._limiter.get_window_stats(_parsed(rate), *key).reset_time
        seconds = max(1, math.ceil(ends_at - clock.now().timestamp()))
        raise TooMany("Too many requests. Please wait a moment and try again.", seconds)


@lru_cache
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)
