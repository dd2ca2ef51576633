"""What the letters about QA say: nothing of a visitor's own words, the link leads to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, aliased

from app.delivery.letters import Letter
from app.delivery.settings import current
from app.models import ChatSession, Site, User
from app.models.qa import QaMove, QaNotice

#: What more there is, is a number in the letter.
MOST_IN_A_LETTER = 40
LONGEST_IN_A_LETTER = 300
CATEGORY = {
    "wrong_answer": "Wrong answer",
    "misunderstood": "Visitor not understood",
    "missed_booking": "Booking missed",
    "wrong_details": "Wrong contact details",
    "tone": "Wrong tone",
    "technical": "Technical problem",
    "other": "Something else",
}


def single(session: Session, notice: QaNotice) -> Letter:
    """The letter about one move."""
    row = _rows(session, [notice.id])[0]
    about = _about(row)
    what = "New issue" if notice.kind == "qa.issue" else "Fixed"
    template = notice.kind.replace(".", "_")
    return Letter([notice.recipient], f"{what}: {row.site}", template, about)


def digest(session: Session, recipient: str, ids: Sequence[int]) -> Letter:
    """One letter about several moves."""
    rows = _rows(session, ids)
    shown = [{**_about(row), "now": _meanwhile(row)} for row in rows[:MOST_IN_A_LETTER]]
    for each in shown:
        each["note"] = _cut(each["note"])
    more = len(rows) - len(shown)
    tab = "issue" if any(row.kind == "qa.issue" for row in rows) else "fixed"
    values = {"notices": shown, "more": more, "link": f"{current().public_url}/qa?tab={tab}"}
    return Letter([recipient], _counted(rows), "qa_digest", values)


def _rows(session: Session, ids: Sequence[int]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The notices with what they are about, oldest first."""
    report = aliased(QaMove)
    reported = (
        select(report.note)
        .where(
            report.session_id == QaMove.session_id,
            report.to_status == "issue",
            report.undone_at.is_(None),
            report.id < QaMove.id,
        )
        .order_by(report.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return session.execute(
        select(
            QaNotice.kind,
            QaMove.session_id,
            QaMove.to_status,
            QaMove.note,
            QaMove.category,
            QaMove.message_id,
            ChatSession.qa_status,
            Site.name.label("site"),
            func.coalesce(func.nullif(User.name, ""), User.email, "Somebody").label("who"),
            reported.label("reported"),
        )
        .join(QaMove, QaMove.id == QaNotice.move_id)
        .join(ChatSession, ChatSession.id == QaMove.session_id)
        .join(Site, Site.id == ChatSession.site_id)
        .outerjoin(User, User.id == QaMove.user_id)
        .where(QaNotice.id.in_(ids))
        .order_by(QaNotice.id)
    ).all()


def _about(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    link = f"{current().public_url}/sessions/{row.session_id}"
    if row.message_id:
        link += f"?message={row.message_id}#message-{row.message_id}"
    return {
        "kind": row.kind,
        "site": row.site,
        "who": row.who,
        "note": row.note,
        "category": CATEGORY.get(row.category),
        "reported": row.reported,
        "link": link,
    }


def _meanwhile(row: Row[*tuple[Any, ...]]) -> str | None:
    """What became of it while the notice waited."""
    if row.qa_status == row.to_status:
        return None
    return {
        "passed": "passed meanwhile",
        "fixed": "fixed meanwhile",
        "issue": "an issue again",
    }.get(row.qa_status)


def _counted(rows: Sequence[Row[*tuple[Any, ...]]]) -> str:
    """ "2 new issues, 1 fixed"."""
    number = Counter(row.kind for row in rows)
    issues, fixed = number["qa.issue"], number["qa.fixed"]
    words = [f"{issues} new issue{'' if issues == 1 else 's'}"] if issues else []
    return ", ".join([*words, *([f"{fixed} fixed"] if fixed else [])])


def _cut(note: str) -> str:
    return note if len(note) <= LONGEST_IN_A_LETTER else f"{note[:LONGEST_IN_A_LETTER].rstrip()}…"
