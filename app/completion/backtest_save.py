"""Make tested phrases and exclusions a site's own, and carry out what that means for its past.

The new rule holds from the save on. What was said before it goes on being judged by the rule of
then (`detection.ChangedRule`, by the newest message's id at the save) until a job has gone through
the site's open sessions and settled each whose past the new rule would confirm: completed in the
name of who saved, or left open. So no layer can judge the past by the new rule in between, a
booking that was promised under the old rule and is only judged late is not lost, and a newer
confirmation completes as always. Only then does the old rule go.

An answer that was being thought over at the save may be judged by the old rule though it is newer,
and a message of that moment may commit later than ones with higher ids. A second, small look at
what was said since, some minutes later, settles both.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from app.completion import layers
from app.completion.backtest import advance, rules_of
from app.completion.backtest_history import read_piece
from app.completion.complete import complete
from app.completion.detection import ChangedRule, Rule, compile_phrases, confirmed_by
from app.completion.judge import discounted, evidence, judge, locked
from app.completion.reopen import leave_open
from app.core import clock
from app.core.db import transaction
from app.core.errors import Conflict, NotFound
from app.core.queue import defer
from app.delivery.payload import read_lines
from app.models import Run, Site
from app.models.run import APPLY_RULES
from app.models.site_profile import SiteProfile
from app.runs import engine
from app.runs.engine import ClaimedRun

logger = logging.getLogger(__name__)

SETTLE = "settle_rules"
#: Sessions read at once; of these, so many are settled in one transaction.
PIECE = 500
SETTLED_AT_ONCE = 25
#: Longer than any answer is thought over.
SETTLE_AFTER = timedelta(minutes=5)
#: A message that commits late has an id at most so far back.
LATE_IDS = 1000

_NEWEST_MESSAGE = text("SELECT coalesce(max(id), 0) FROM messages")
_SAID_SINCE = text("""
    SELECT DISTINCT m.session_id FROM messages m JOIN chat_sessions s ON s.id = m.session_id
     WHERE m.id > :after AND s.site_id = :site_id AND s.completion_status = 'in_progress'
""")


@dataclass(frozen=True, slots=True)
class Change:
    """A saved change of rules: `rule.now` is the new one. `complete_past`: what was decided."""

    rule: ChangedRule
    site: SiteProfile
    complete_past: bool
    user_id: uuid.UUID | None


def save(
    session: Session, backtest_id: uuid.UUID, user_id: uuid.UUID | None, *, complete_past: bool
) -> None:
    """Make the tested rules the site's, in the caller's transaction, and have a worker settle the
    past: the test becomes that run. Raises NotFound, and Conflict when that cannot be done (now).
    """
    backtest = session.get(Run, backtest_id)
    if backtest is None:
        raise NotFound("This test no longer exists. Please test again.")
    # The site first: two who save at once meet here.
    site = session.get_one(Site, backtest.site_id, with_for_update=True, populate_existing=True)
    session.refresh(backtest, with_for_update=True)
    _check(session, backtest, site)
    now = clock.now()
    tested = {name: backtest.parameters[name] for name in ("phrases", "exclusions")}
    change = {
        **rules_of(site),
        "tested": tested,
        "through": session.scalar(_NEWEST_MESSAGE),
        "complete_past": complete_past,
        "user_id": user_id and str(user_id),
    }
    site.phrases, site.exclusions = tested["phrases"], tested["exclusions"]
    site.updated_at = now
    engine.resume(backtest)
    backtest.kind, backtest.started_at = APPLY_RULES, now
    backtest.progress, backtest.position = 0.0, {}
    backtest.parameters = {**tested, "change": change}
    session.flush()
    engine.enqueue(session, backtest)
    logger.info(
        "phrases saved",
        extra={
            "site_id": str(site.id),
            "backtest_id": str(backtest_id),
            "user_id": user_id and str(user_id),
            "complete_past": complete_past,
        },
    )


def apply(run_id: uuid.UUID, should_stop: Callable[[], bool] = lambda: False) -> None:
    """The job: settle the site's open sessions, from where it stands to the end; then the new rule
    holds for all that was said. Repeating it does no harm.
    """
    engine.work(APPLY_RULES, run_id, _settle_piece, should_stop, is_job=True, takes_over=True)


def _settle_piece(claimed: ClaimedRun) -> bool:
    """Settle the next open sessions. False: there were none, and the old rule goes."""
    with transaction() as session:
        run = claimed.lock(session)
        assert run.site_id is not None
        stored = run.parameters["change"]
        change = _change(session, run.site_id, stored)
        piece = read_piece(session, run.site_id, run.position.get("after"), PIECE, only_open=True)
        if not piece:
            engine.finish(run)
            # So that every process reads the rule again.
            session.get_one(Site, run.site_id, with_for_update=True).updated_at = clock.now()
            at = clock.now() + SETTLE_AFTER
            defer(session, SETTLE, at=at, site_id=str(run.site_id), change=stored)
            return False
    rules = (change.rule.now, change.rule)
    telling = [
        chat.id
        for chat in piece
        if any(confirmed_by(chat.lines, rule, chat.discounted) for rule in rules)
    ]
    _settle_all(telling, change)
    with transaction() as session:
        advance(claimed.lock(session), piece[-1].id)
    return True


def settle(site_id: uuid.UUID, change: dict[str, Any]) -> None:
    """The second look: sessions in which something was said since about the save."""
    with transaction() as session:
        if session.get(Site, site_id) is None:
            return
        values = {"after": change["through"] - LATE_IDS, "site_id": site_id}
        session_ids = session.scalars(_SAID_SINCE, values).all()
        known = _change(session, site_id, change)
    _settle_all(session_ids, known)


def _settle_all(session_ids: Sequence[uuid.UUID], change: Change) -> None:
    for start in range(0, len(session_ids), SETTLED_AT_ONCE):
        with transaction() as session:
            for row in locked(session, session_ids[start : start + SETTLED_AT_ONCE]):
                if row.lines:
                    _settle(session, row, change)


def _settle(session: Session, row: Row[Any], change: Change) -> None:
    """One session, locked. What is no decision about the past is left to the layers."""
    promised = evidence(row, change.rule)
    if promised and promised.message_id in (row.unchecked or ()):
        judge(session, [row.id], _layer())
        return
    lines, new = read_lines(row.lines), change.rule.now
    after = discounted(row.discounted_message_id, row.discounted_until)
    found = confirmed_by(lines, new, after)
    if found is None:
        return
    # The rule before it confirms nothing, so that it is the new one that confirms what is newer.
    newer = confirmed_by(lines, ChangedRule(new, _NOTHING, change.rule.through), after)
    if newer is not None:
        judge(session, [row.id], _layer())
    elif change.complete_past:
        complete(
            session,
            row.id,
            change.site,
            cause="user",
            phrase=found.phrase,
            message_id=found.message_id,
            user_id=change.user_id,
        )
    else:
        leave_open(session, row.id, change.user_id)


def _layer() -> str:
    """A layer that is switched on; with none, nothing completes by itself."""
    return next(filter(layers.is_active, ("sweep", "live", "auto_sync")), "sweep")


_NOTHING: Rule = compile_phrases(())


def _change(session: Session, site_id: uuid.UUID, stored: dict[str, Any]) -> Change:
    """What was stored. The rule that was tested decides about the past, though the site may have
    been given another one since.
    """
    profile = session.get_one(Site, site_id, populate_existing=True).profile()
    tested = stored["tested"]
    now = compile_phrases(tuple(tested["phrases"]), tuple(tested["exclusions"]))
    before = compile_phrases(tuple(stored["phrases"]), tuple(stored["exclusions"]))
    user_id = stored["user_id"] and uuid.UUID(stored["user_id"])
    return Change(
        ChangedRule(now, before, stored["through"]), profile, stored["complete_past"], user_id
    )


def _check(session: Session, backtest: Run, site: Site) -> None:
    if backtest.kind == APPLY_RULES:
        raise Conflict("This was saved already.")
    if backtest.status != "done":
        raise Conflict("The test is not finished yet. Please wait for its result.")
    if backtest.parameters["tested_against"] != rules_of(site):
        raise Conflict(
            "The phrases of this site were changed since this test. Please test once more."
        )
    unsettled = select(Run.id).where(
        Run.kind == APPLY_RULES, Run.site_id == site.id, Run.status != "done"
    )
    if session.scalar(unsettled.limit(1)):
        raise Conflict("The last change is still being carried out. Please try again shortly.", 10)
