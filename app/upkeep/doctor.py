"""Does what must always hold, hold? Looks, says what it found, and repairs when asked to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models import CheckReport
from app.upkeep import doctor_deliveries, doctor_leads, doctor_promises, doctor_sessions
from app.upkeep.doctor_check import HIGHEST_UUID, Check, Finding, Span

logger = logging.getLogger(__name__)

#: In the order in which one repair can bring the next rule back in order, too.
CHECKS: tuple[Check, ...] = (
    *doctor_promises.CHECKS,
    *doctor_sessions.CHECKS,
    *doctor_leads.CHECKS,
    *doctor_deliveries.CHECKS,
)
NOUNS = {"chat_sessions": "session", "lead_events": "event", "deliveries": "delivery"}
MOST_EXAMPLES = 5
KEEP_REPORTS = timedelta(days=90)

#: What a run says meanwhile: the check, how far it has come (0 to 1), how many it has found.
Tell = Callable[[Check, float, int], None]

_NEWEST_MESSAGE = text("SELECT coalesce(max(id), 0) FROM messages")
_LOCK = text("SELECT FROM chat_sessions WHERE id = :id FOR UPDATE")
_FORGET = text("DELETE FROM check_reports WHERE started_at < :before")


@dataclass(slots=True)
class Result:
    """How a check went: how many rows break its rule, paths of pages that show some of them, and
    how many of all were repaired.
    """

    check: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    repaired: int = 0

    @property
    def is_well(self) -> bool:
        return self.count == self.repaired


def examine(*, fix: bool, tell: Tell = lambda *_: None) -> list[Result]:
    """Go through every check, repair what is found when `fix`, and keep the report.

    Reads in short transactions; each repair is one of its own, and counts only when its row,
    looked at again under its lock, breaks the rule no more.
    """
    began_at = clock.now()
    with transaction() as session:
        newest = session.scalar(_NEWEST_MESSAGE) or 0
    whole = Span(0, HIGHEST_UUID, began_at, newest)
    results = [_go_through(check, whole, fix, tell) for check in CHECKS]
    wrong = [result for result in results if result.count]
    with transaction() as session:
        session.add(
            CheckReport(
                started_at=began_at,
                finished_at=clock.now(),
                findings=[asdict(result) for result in wrong],
            )
        )
        session.execute(_FORGET, {"before": began_at - KEEP_REPORTS})
    for result in wrong:
        logger.warning("check found something wrong", extra=asdict(result))
    return results


def latest(session: Session) -> CheckReport | None:
    """The newest report; its `findings` are those that found something."""
    return session.scalar(select(CheckReport).order_by(CheckReport.id.desc()).limit(1))


def unrepaired(report: CheckReport | None) -> list[Result]:
    """What the report leaves to be repaired."""
    results = [Result(**each) for each in (report.findings if report else [])]
    return [result for result in results if not result.is_well]


def in_words(check: Check, count: int) -> str:
    """ "3 sessions completed, without a lead"."""
    noun = NOUNS[check.table]
    plural = "deliveries" if noun == "delivery" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural} {check.broken}"


def _go_through(check: Check, whole: Span, fix: bool, tell: Tell) -> Result:
    result = Result(check.key)
    for span, done in check.spans(whole):
        tell(check, done, result.count)
        with transaction() as session:
            found = check.find(session, span)
        for finding in found:
            result.count += 1
            if len(result.examples) < MOST_EXAMPLES:
                result.examples.append(_path(finding))
            if fix and _repair(check, finding, span):
                result.repaired += 1
    return result


def _repair(check: Check, finding: Finding, span: Span) -> bool:
    """Whether it is mended. One row that cannot be must not keep the others from it."""
    try:
        return _mend(check, finding, span)
    except Exception:
        logger.exception("could not repair %s", _path(finding), extra={"check": check.key})
        return False


def _mend(check: Check, finding: Finding, span: Span) -> bool:
    only = span.only(finding.key)
    with transaction() as session:
        session.execute(_LOCK, {"id": finding.session_id})
        session.expire_all()
        for still_broken in check.find(session, only):
            check.repair(session, still_broken)
            session.flush()
        return not check.find(session, only)


def _path(finding: Finding) -> str:
    return f"/sessions/{finding.session_id}" if finding.session_id else "/deliveries"
