"""What the hook adds to a request, with and without it by turns in one run."""

from __future__ import annotations

import logging
import re
import statistics
import time
from dataclasses import dataclass

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import transaction
from bench.setup import EMAIL, PASSWORD

PAIRS = 200
DUE_PAIRS = 60
PATH = "/sessions"
_DUE = text("UPDATE catch_up SET next_at = now() - interval '1 second'")


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds, medians. `added_when_due_ms`: of requests whose turn it is to catch up, which
    is one a second; `page_ms`: the whole request without the hook.
    """

    added_ms: float
    added_when_due_ms: float
    page_ms: float


def measure(app: Flask) -> Cost:
    """On an app with the admin of `bench.setup`, whose history has nothing left to catch up.

    Not within an app context: requests would share it, and with it who is signed in.
    """
    client = _signed_in(app)
    troubles = _Troubles()
    logging.getLogger("app.web.hooks").addHandler(troubles)
    hook = app.extensions["catch_up"]

    def request(*, hooked: bool, is_due: bool) -> float:
        hook.is_enabled = hooked
        if is_due:
            hook._ask_at = 0.0
            with app.app_context(), transaction() as session:
                session.execute(_DUE)
        began = time.perf_counter()
        answer = client.get(PATH)
        seconds = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"{PATH} answers {answer.status_code}")
        return seconds * 1000

    def pairs(number: int, *, is_due: bool) -> tuple[float, float]:
        """The median without the hook, and of the difference."""
        for hooked in (False, True):
            request(hooked=hooked, is_due=is_due)
        taken = [
            (request(hooked=False, is_due=is_due), request(hooked=True, is_due=is_due))
            for _ in range(number)
        ]
        return (
            statistics.median(without for without, _ in taken),
            statistics.median(hooked - without for without, hooked in taken),
        )

    page_ms, added_ms = pairs(PAIRS, is_due=False)
    _, added_when_due_ms = pairs(DUE_PAIRS, is_due=True)
    hook.is_enabled = True
    if troubles.messages:  # a hook that fails costs little
        raise RuntimeError(f"the hook failed: {troubles.messages[0]}")
    return Cost(max(added_ms, 0.0), max(added_when_due_ms, 0.0), page_ms)


class _Troubles(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _signed_in(app: Flask) -> FlaskClient:
    client = app.test_client()
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert found
    form = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD}
    if client.post("/login", data=form).status_code != 302:
        raise RuntimeError("the admin of the benchmarks cannot sign in")
    return client
