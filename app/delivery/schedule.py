"""When to try again. Pure, but for the jitter."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

RETRY_DELAYS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.1
LONGEST_RETRY_AFTER = timedelta(hours=24)
#: After so many failures in a row a destination is probed, one delivery at a time.
FAILURES_UNTIL_PROBING = 10
FIRST_PROBE_DELAY_SECONDS = 5
LONGEST_PROBE_DELAY_SECONDS = 60


def next_attempt(
    attempt_count: int, now: datetime, retry_after: str | None = None
) -> datetime | None:
    """When the next try is due after `attempt_count` tries; None when that was the last.

    A receiver's Retry-After counts when it is later than our own schedule.
    """
    if attempt_count > len(RETRY_DELAYS):
        return None
    delay = RETRY_DELAYS[attempt_count - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    asked_for = _wait_asked_for(retry_after, now) if retry_after else timedelta(0)
    return now + max(delay, min(asked_for, LONGEST_RETRY_AFTER))


def blocked_until(consecutive_failures: int, now: datetime) -> datetime | None:
    """Until when a failing destination is left alone; None while it is not failing so much."""
    if not is_probing(consecutive_failures):
        return None
    doublings = min(consecutive_failures - FAILURES_UNTIL_PROBING, 10)
    seconds = min(FIRST_PROBE_DELAY_SECONDS * 2**doublings, LONGEST_PROBE_DELAY_SECONDS)
    return now + timedelta(seconds=seconds)


def is_probing(consecutive_failures: int) -> bool:
    return consecutive_failures >= FAILURES_UNTIL_PROBING


def _wait_asked_for(retry_after: str, now: datetime) -> timedelta:
    """Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3); anything else asks for nothing."""
    value = retry_after.strip()
    if value.isascii() and value.isdecimal():
        return timedelta(seconds=int(value[:9]))
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return timedelta(0)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
