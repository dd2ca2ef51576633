"""Does what must always hold, hold? Looks, says what it found, and repairs when asked to."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from app.core import clock
from app.core.db import transaction
from app.models import Run
from app.models.run import CHECK_EVERYTHING
from app.runs import engine
from app.runs.engine import ClaimedRun
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


def create(session: Session, *, fix: bool) -> Run:
    """A check of everything that waits for a process; `fix`: it repairs what it finds."""
    return engine.create(session, CHECK_EVERYTHING, parameters={"fix": fix})


def examine(*, fix: bool, tell: Tell = lambda *_: None) -> list[Result]:
    """Go through every check in this process. How each of them went."""
    with transaction() as session:
        run_id = create(session, fix=fix).id
    try:
        work(run_id, tell=tell)
    except KeyboardInterrupt:
        with transaction() as session:
            engine.cancel(session, run_id)
        raise
    with transaction() as session:
        results = _results(session.get_one(Run, run_id))
    return [results.get(check.key, Result(check.key)) for check in CHECKS]


def work(
    run_id: uuid.UUID,
    should_stop: Callable[[], bool] = lambda: False,
    *,
    is_job: bool = False,
    tell: Tell = lambda *_: None,
) -> None:
    """Go through every check, from where the run was left, and repair what is found if it says so.

    Reads in short transactions; each repair is one of its own, and counts only when its row,
    looked at again under its lock, breaks the rule no more.
    """

    def step(claimed: ClaimedRun) -> bool:
        return _step(claimed, tell)

    engine.work(CHECK_EVERYTHING, run_id, step, should_stop, is_job=is_job, takes_over=is_job)


def latest(session: Session) -> Run | None:
    """The newest check that was done."""
    return session.scalar(
        select(Run)
        .where(Run.kind == CHECK_EVERYTHING, Run.status == "done")
        .order_by(Run.finished_at.desc())
        .limit(1)
    )


def findings(check: Run | None) -> list[Result]:
    """Those that found something."""
    return list(_results(check).values()) if check else []


def unrepaired(check: Run | None) -> list[Result]:
    """What is left to be repaired."""
    return [result for result in findings(check) if not result.is_well]


def in_words(check: Check, count: int) -> str:
    """ "3 sessions completed, without a lead"."""
    noun = NOUNS[check.table]
    plural = "deliveries" if noun == "delivery" else f"{noun}s"
    return f"{count} {noun if count == 1 else plural} {check.broken}"


def _step(claimed: ClaimedRun, tell: Tell) -> bool:
    """Look at one chunk of one check. False: that was the last."""
    with transaction() as session:
        run = claimed.lock(session)
        number, stored, whole = _position(session, run)
        fix, results = run.parameters["fix"], _results(run)
        check = CHECKS[number]
        span, end = check.span(session, check.key_from(stored), whole)
        done = check.share_before(session, span.after)
    result = results.setdefault(check.key, Result(check.key))
    tell(check, done, result.count)
    with transaction() as session:
        found = check.find(session, span)
    for finding in found:
        result.count += 1
        if len(result.examples) < MOST_EXAMPLES:
            result.examples.append(_path(finding))
        if fix and _repair(check, finding, span):
            result.repaired += 1
    number += end is None
    with transaction() as session:
        run = claimed.lock(session)
        run.report = {"findings": [asdict(each) for each in results.values() if each.count]}
        run.progress = min((number + (0 if end is None else done)) / len(CHECKS), 1.0)
        run.position = {
            "check": number,
            "after": None if end is None else str(end),
            "began_at": whole.began_at.isoformat(),
            "newest_message": whole.newest_message,
        }
        if number == len(CHECKS):
            _finish(session, run)
    return number < len(CHECKS)


def _position(session: Session, run: Run) -> tuple[int, str | None, Span]:
    """The number of the check that is next, the key it has come to, and what all checks look at."""
    at = run.position
    if not at:
        newest = session.scalar(_NEWEST_MESSAGE) or 0
        return 0, None, Span(0, HIGHEST_UUID, clock.now(), newest)
    began_at = datetime.fromisoformat(at["began_at"])
    return at["check"], at["after"], Span(0, HIGHEST_UUID, began_at, at["newest_message"])


def _finish(session: Session, run: Run) -> None:
    engine.finish(run)
    session.execute(
        delete(Run).where(
            Run.kind == CHECK_EVERYTHING, Run.started_at < run.started_at - KEEP_REPORTS
        )
    )
    for result in findings(run):
        logger.warning("check found something wrong", extra=asdict(result))


def _results(run: Run) -> dict[str, Result]:
    """Those that found something, by check."""
    return {each["check"]: Result(**each) for each in run.report.get("findings", [])}


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
