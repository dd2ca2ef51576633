"""QA in a reviewer's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.models import QaMove
from app.review.qa_letters import CATEGORY

__all__ = ["ASK", "CATEGORY", "DONE", "STANDING", "took", "what_happened"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A move as it is offered: `title` opens it, `note` is what is asked for."""

    title: str
    note: str
    button: str


ASK = {
    "passed": Ask("Passed", "Note", "Passed"),
    "issue": Ask("Something is wrong", "What went wrong?", "Report the issue"),
    "fixed": Ask("Mark as fixed", "What was done?", "Mark as fixed"),
}
#: What the state of a session means for who looks at it.
STANDING = {
    "unchecked": "Nobody has checked this conversation yet.",
    "passed": "This conversation is as it should be.",
    "issue": "Something went wrong here and has to be fixed.",
    "fixed": "What went wrong is fixed. Somebody has to check it again.",
}
#: What is said to whoever has just decided.
DONE = {
    "passed": "Marked as passed.",
    "issue": "The issue is reported.",
    "fixed": "Marked as fixed.",
}


def what_happened(move: QaMove) -> str:
    """As in "Ann reported an issue"."""
    words = {"passed": "passed it", "issue": "reported an issue", "fixed": "fixed it"}
    return words[move.to_status]


def took(time: timedelta | None) -> str:
    """ "40 min", "3.5 h", "12 days"; "–" for none."""
    if time is None:
        return "–"
    minutes = time.total_seconds() / 60
    if minutes < 90:
        return f"{max(1, round(minutes))} min"
    if minutes < 36 * 60:
        return f"{minutes / 60:.1f} h".replace(".0 ", " ")
    return f"{round(minutes / 1440)} days"
