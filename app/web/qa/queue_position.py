"""The way through a queue: which sessions, one after the other, as the address says it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from app.reporting.qa_queue import Queue

#: The tabs of the review page: a session's QA status, and what it is called there.
TABS = {"unchecked": "To check", "issue": "Issues to fix", "fixed": "Fixed, to check again"}


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """`site`: a site's key, all of them without. `is_completed`: only those with a booking."""

    tab: str = "unchecked"
    site: str | None = None
    is_completed: bool = False

    @property
    def queue(self) -> Queue:
        return Queue(self.tab, self.site, self.is_completed)

    @property
    def query(self) -> dict[str, Any]:
        """For addresses and hidden fields."""
        site = {"site": self.site} if self.site else {}
        return {"tab": self.tab, **site, **({"completed": "yes"} if self.is_completed else {})}

    def address(self, session_id: uuid.UUID) -> str:
        return url_for("qa.one", session_id=session_id, **self.query)

    def next_address(self, after: uuid.UUID, *, decided: bool = False) -> str:
        """`decided`: the one left behind can be named, and undone, on the next page."""
        was: dict[str, Any] = {"was": after} if decided else {}
        return url_for("qa.next_one", after=after, **was, **self.query)


def requested_position() -> QueuePosition:
    """That of this page's address."""
    return _position(request.args)


def submitted_position() -> QueuePosition | None:
    """That of a form; None for one on a session's own page."""
    return _position(request.form) if "tab" in request.form else None


def _position(values: Mapping[str, str]) -> QueuePosition:
    tab, site = values.get("tab", ""), values.get("site", "")
    return QueuePosition(
        tab if tab in TABS else "unchecked",
        site if site.isprintable() and site else None,  # PostgreSQL reads no NUL
        values.get("completed") == "yes",
    )
