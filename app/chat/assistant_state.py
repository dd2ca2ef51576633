"""What all processes know of a site's assistant: whether it rests, and what it may still use.

Each answer of an assistant that can fail or costs money begins with `admit` and ends with
`conclude` and `settle`. What it may use is set aside at its beginning, so that no number of answers
at once exceeds a cap; one whose process dies keeps what it had set aside.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import pytz
from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.assistants.base import FailureKind
from app.assistants.run import Finished
from app.chat import assistant_day
from app.chat.assistant_caps import Cap, Used, allowed_tokens, highest_cost, turns_used_up
from app.core import clock, events
from app.core.db import transaction
from app.models.site_profile import SiteProfile

#: Failures in a row after which an assistant is left alone for a while.
FAILURES_BEFORE_REST = 3
_MOST_TRIES = 3
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 30, 600
#: Those whose tokens we pay for.
COUNTED_BY_TOKEN = ("openai",)
#: Failures that a single visitor can bring about: no sign that others would get no answer.
PROVOKED: tuple[FailureKind, ...] = ("capped", "too_big")
#: A workflow that answers with a page of HTML is broken; a model may have been talked into it.
PROVOKED_OF_A_MODEL: tuple[FailureKind, ...] = (*PROVOKED, "not_for_people")


@dataclass(frozen=True, slots=True)
class Permit:
    """An answer may be made: of at most `tokens` (None: not counted), set aside with their cost."""

    site_id: uuid.UUID
    session_id: uuid.UUID | None
    day: date
    tokens: int | None
    cost_micros: int
    page_title: str | None
    attribution: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refusal:
    """No answer now: the assistant rests after failures, or has used up what it may."""

    site_id: uuid.UUID
    day: date
    reason: Cap | Literal["resting"]


# A session's row is locked before what hangs on it, as deleting the session does: no deadlock.
_ABOUT = text(
    "SELECT page_title, attribution FROM chat_sessions WHERE id = :session_id FOR KEY SHARE"
)
_OF_SESSION = text("""
    INSERT INTO assistant_sessions (session_id) VALUES (:session_id)
    ON CONFLICT (session_id) DO UPDATE SET turns = assistant_sessions.turns
    RETURNING turns, tokens, cost_micros
""")
_OF_DAY = text("""
    SELECT turns, tokens, cost_micros FROM assistant_days
     WHERE site_id = :site_id AND day = :day AND assistant = :assistant
""")
# What a crash of the database may lose is the count of its last moment: no visitor waits for the
# disk on its account.
_WRITE_SOON = text("SET LOCAL synchronous_commit TO off")
_SET_ASIDE = text("""
    UPDATE assistant_sessions
       SET turns = turns + :turns, tokens = tokens + :tokens, cost_micros = cost_micros + :cost
     WHERE session_id = :session_id
""")
# A row that rests: once the rest is over one answer at a time is tried. No row: nothing is wrong.
_HEALTH = text("""
    SELECT resting_until > :now OR coalesce(trial_until > :now, false) AS is_resting
      FROM assistant_health
     WHERE site_id = :site_id AND assistant = :assistant AND resting_until IS NOT NULL FOR UPDATE
""")
_TRY = text("""
    UPDATE assistant_health SET trial_until = :until
     WHERE site_id = :site_id AND assistant = :assistant
""")
_WELL = text("""
    DELETE FROM assistant_health WHERE site_id = :site_id AND assistant = :assistant
    RETURNING resting_until
""")
_FAILED = text("""
    INSERT INTO assistant_health AS h
           (site_id, assistant, failures, failing_since, last_failed_at, last_kind)
    VALUES (:site_id, :assistant, 1, :now, :now, :kind)
    ON CONFLICT (site_id, assistant) DO UPDATE SET
        failures = h.failures + 1, last_failed_at = :now, last_kind = :kind, trial_until = NULL
    RETURNING failures, rests, resting_until
""")
_REST = text("""
    UPDATE assistant_health SET rests = rests + 1, resting_until = :until
     WHERE site_id = :site_id AND assistant = :assistant
""")


def admit(site: SiteProfile, site_id: uuid.UUID, session_id: uuid.UUID | None) -> Permit | Refusal:
    """May the site's assistant answer now? No transaction may be open.

    `session_id` None: somebody tries it out, which counts for the day only and is not kept from
    an assistant that rests.
    """
    now = clock.now()
    for _ in range(_MOST_TRIES):
        with transaction() as session:
            permit = _set_aside(session, site, site_id, session_id, now)
        if isinstance(permit, Refusal):
            return permit
        if assistant_day.take(site, site_id, permit.day, permit.tokens, permit.cost_micros):
            return permit
        with transaction() as session:  # somebody else took the rest of the day meanwhile
            _set_aside_more(session, permit, -1, -(permit.tokens or 0), -permit.cost_micros)
    reason: Cap = "day_tokens" if site.assistant in COUNTED_BY_TOKEN else "day_turns"
    return Refusal(site_id, day_of(site, now), reason)


def conclude(session: Session, site: SiteProfile, permit: Permit, finished: Finished) -> None:
    """Count an answer that has ended for its conversation, and let the assistant rest after
    failures in a row. In the caller's transaction; `settle` counts it for the day.
    """
    session.execute(_WRITE_SOON)
    tokens, cost = _beyond(site, permit, finished)
    session.execute(_ABOUT, {"session_id": permit.session_id})
    _set_aside_more(session, permit, 0, tokens, cost)
    names = {"site_id": permit.site_id, "assistant": site.assistant}
    if finished.failure is None:
        rested = session.execute(_WELL, names).one_or_none()
        if rested is not None and rested.resting_until is not None:
            events.announce(session, "sites", permit.site_id)
    elif finished.failure not in _provoked(site):
        _note_failure(session, names, finished.failure)


def settle(site: SiteProfile, permit: Permit, finished: Finished) -> None:
    """Count what an answer took of its day, in place of what was set aside for it; a visitor's
    answer is counted itself, too. No transaction may be open.
    """
    tokens, cost = _beyond(site, permit, finished)
    is_visitors = permit.session_id is not None
    assistant_day.settle(
        site, permit.site_id, permit.day, tokens, cost, finished if is_visitors else None
    )


def day_of(site: SiteProfile, now: datetime) -> date:
    """The day it is at the site."""
    return now.astimezone(pytz.timezone(site.timezone)).date()


def _provoked(site: SiteProfile) -> tuple[FailureKind, ...]:
    return PROVOKED_OF_A_MODEL if site.assistant in COUNTED_BY_TOKEN else PROVOKED


def _note_failure(session: Session, names: Mapping[str, Any], kind: FailureKind) -> None:
    now = clock.now()
    row = session.execute(_FAILED, {**names, "now": now, "kind": kind}).one()
    is_resting = row.resting_until is not None and row.resting_until > now
    if row.failures < FAILURES_BEFORE_REST or is_resting:
        return
    seconds = min(FIRST_REST_SECONDS * 2 ** min(row.rests, 10), LONGEST_REST_SECONDS)
    session.execute(_REST, {**names, "until": now + timedelta(seconds=seconds)})
    events.announce(session, "sites", names["site_id"])


def _set_aside(
    session: Session,
    site: SiteProfile,
    site_id: uuid.UUID,
    session_id: uuid.UUID | None,
    now: datetime,
) -> Permit | Refusal:
    """Set aside in the conversation what its next answer may use, if there is enough of it."""
    session.execute(_WRITE_SOON)
    day = day_of(site, now)
    names = {"site_id": site_id, "day": day, "assistant": site.assistant}
    about = session.execute(_ABOUT, {"session_id": session_id}).one_or_none()
    of_session = _used(about and session.execute(_OF_SESSION, {"session_id": session_id}).one())
    of_day = _used(session.execute(_OF_DAY, names).one_or_none())
    cap = turns_used_up(site.ai, of_session, of_day)
    tokens, cost = None, 0
    if cap is None and site.assistant in COUNTED_BY_TOKEN:
        tokens, cap = allowed_tokens(site.ai, of_session, of_day)
        cost = highest_cost(site.ai, tokens)
    if cap is not None:
        return Refusal(site_id, day, cap)
    if about is None:
        return Permit(site_id, None, day, tokens, cost, None, {})
    is_resting = session.scalar(_HEALTH, {**names, "now": now})
    if is_resting:
        return Refusal(site_id, day, "resting")
    if is_resting is False:
        until = now + timedelta(seconds=site.ai.answer_seconds + 5)
        session.execute(_TRY, {**names, "until": until})
    permit = Permit(
        site_id, session_id, day, tokens, cost, about.page_title, about.attribution or {}
    )
    _set_aside_more(session, permit, 1, tokens or 0, cost)
    return permit


def _set_aside_more(
    session: Session, permit: Permit, turns: int, tokens: int, cost_micros: int
) -> None:
    values = {"turns": turns, "tokens": tokens, "cost": cost_micros}
    session.execute(_SET_ASIDE, {**values, "session_id": permit.session_id})


def _beyond(site: SiteProfile, permit: Permit, finished: Finished) -> tuple[int, int]:
    """Tokens and cost of an answer beyond what was set aside for it; usually less than none."""
    if permit.tokens is None:
        return 0, 0
    usage = finished.usage
    cost = usage.input_tokens * site.ai.price_in + usage.output_tokens * site.ai.price_out
    tokens = usage.input_tokens + usage.output_tokens
    return tokens - permit.tokens, round(cost) - permit.cost_micros


def _used(row: Row[Any] | None) -> Used:
    return Used() if row is None else Used(row.turns, row.tokens, row.cost_micros)
