"""Letters that a page only asks for."""

from __future__ import annotations

from collections.abc import Callable

from procrastinate import JobContext

from app.accounts import forgotten


def send_forgotten(_context: JobContext, user_id: str) -> None:
    forgotten.send(user_id)


JOBS: tuple[tuple[Callable[..., None], str], ...] = ((send_forgotten, forgotten.SEND_FORGOTTEN),)
