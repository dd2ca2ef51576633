"""When the next try is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.delivery.schedule import RETRY_DELAYS, blocked_until, next_attempt

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_schedule_is_the_one_we_promise() -> None:
    minute, hour = 60, 3600
    assert [delay.total_seconds() for delay in RETRY_DELAYS] == [
        5, 30, 2 * minute, 10 * minute, 30 * minute,
        hour, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
    ]  # fmt: skip


@pytest.mark.parametrize("attempt_count", range(1, 13))
def test_jitter_is_a_tenth_either_way(attempt_count: int) -> None:
    delay = RETRY_DELAYS[attempt_count - 1]
    waits = []
    for _ in range(200):
        due = next_attempt(attempt_count, NOW)
        assert due is not None
        waits.append((due - NOW) / delay)
    assert 0.9 <= min(waits) < 0.95
    assert 1.05 < max(waits) <= 1.1


def test_after_the_thirteenth_try_there_is_no_other() -> None:
    assert next_attempt(12, NOW) is not None
    assert next_attempt(13, NOW) is None
    assert next_attempt(13, NOW, "5") is None


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Sun, 22 Nov 2026 12:03:00 GMT", 180),
        ("9" * 500, 24 * 3600),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 24 * 3600),
    ],
)
def test_retry_after_counts_when_it_is_later(retry_after: str, seconds: int) -> None:
    assert next_attempt(1, NOW, retry_after) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "retry_after",
    ["0", "1", "-5", "soon", "", "١٢٠", "Sun, 22 Nov 2026 11:00:00 GMT", "1 Jan 99999 00:00 GMT"],
)
def test_retry_after_never_makes_it_earlier(retry_after: str) -> None:
    due = next_attempt(1, NOW, retry_after)
    assert due is not None
    assert 4.5 <= (due - NOW).total_seconds() <= 5.5


def test_a_failing_destination_is_left_alone_for_longer_and_longer() -> None:
    assert blocked_until(9, NOW) is None
    waits = []
    for failures in (10, 11, 12, 13, 14, 15, 5000):
        until = blocked_until(failures, NOW)
        assert until is not None
        waits.append((until - NOW).total_seconds())
    assert waits == [5, 10, 20, 40, 60, 60, 60]
