"""What is done for users beside their requests: emails that a page only asks for, and clean-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from procrastinate import JobContext

from app.accounts import forgotten, limits, sign_ins
from app.core.db import transaction

EVERY_10_MINUTES = "*/10 * * * *"


def send_forgotten(_context: JobContext, user_id: str) -> None:
    forgotten.send(user_id)


def remove_old_sign_ins(_context: JobContext, timestamp: int) -> None:
    """Sign-ins that have expired, and counts of wrong passwords that no longer matter."""
    with transaction() as session:
        sign_ins.remove_expired(session)
    with transaction() as session:
        limits.remove_old(session)


JOBS: tuple[tuple[Callable[..., None], str], ...] = ((send_forgotten, forgotten.SEND_FORGOTTEN),)
PERIODIC: tuple[tuple[Callable[..., Any], str], ...] = ((remove_old_sign_ins, EVERY_10_MINUTES),)
