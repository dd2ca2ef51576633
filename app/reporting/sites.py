"""Sites, and what tests of their phrases found, for the dashboard."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.models import BacktestFinding, ChatSession, Lead, Run, Site

PAGE = 25


@dataclass(frozen=True, slots=True)
class FindingRow:
    finding: BacktestFinding
    lead_name: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class FindingPage:
    """`next_after`: behind this id the list goes on; None: it does not."""

    items: list[FindingRow]
    is_first: bool
    next_after: int | None


def list_all(session: Session) -> Sequence[Site]:
    """Every site, by name. There are as many as landing pages: one page shows them."""
    return session.scalars(select(Site).order_by(Site.name, Site.key)).all()


def one_backtest(session: Session, site_id: uuid.UUID, backtest_id: uuid.UUID) -> Run:
    """Raises NotFound, also for another site's."""
    found = session.scalar(select(Run).where(Run.id == backtest_id, Run.site_id == site_id))
    if found is None:
        raise NotFound("This test no longer exists. Please test again.")
    return found


def unfinished_backtest(session: Session, site_id: uuid.UUID) -> Run | None:
    """A test, or the carrying out of a saved one, that is still running or broke."""
    return session.scalar(
        select(Run)
        .where(Run.site_id == site_id, Run.status.in_(("running", "failed")))
        .order_by(Run.started_at.desc())
        .limit(1)
    )


def findings(session: Session, backtest_id: uuid.UUID, kind: str, after: int | None) -> FindingPage:
    """A page of the findings of this kind, in the order they were found."""
    rows = session.execute(
        select(BacktestFinding, Lead.name, ChatSession.started_at)
        .join(ChatSession, ChatSession.id == BacktestFinding.session_id)
        .outerjoin(Lead, Lead.session_id == BacktestFinding.session_id)
        .where(
            BacktestFinding.backtest_id == backtest_id,
            BacktestFinding.kind == kind,
            BacktestFinding.id > (after or 0),
        )
        .order_by(BacktestFinding.id)
        .limit(PAGE + 1)
    ).all()
    items = [FindingRow(*row) for row in rows[:PAGE]]
    more = items[-1].finding.id if len(rows) > PAGE else None
    return FindingPage(items, after is None, more)
