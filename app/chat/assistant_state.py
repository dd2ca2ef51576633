"""What all processes know of a site's assistant: whether it rests, and what it may still use.

Each answer of an assistant that can fail or costs money is a pair of short transactions, `admit`
and `conclude`. What it may use is set aside at its beginning, so that no number of answers at once
exceeds a cap; one whose process dies keeps what it had set aside.
"""

from __future__ import annotations

import math
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
from app.core import clock, events
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import SiteProfile

#: Failures in a row after which an assistant is left alone for a while.
FAILURES_BEFORE_REST = 3
FIRST_REST_SECONDS, LONGEST_REST_SECONDS = 30, 600
MOST_ROUNDS, PROMPT_TOKENS = 4, 2_500
#: Those whose tokens we pay for.
COUNTED_BY_TOKEN = ("openai",)
#: Failures that a single visitor can bring about: no sign that others would get no answer.
PROVOKED: tuple[FailureKind, ...] = ("capped", "too_big")
#: A workflow that answers with a page of HTML is broken; a model may have been talked into it.
PROVOKED_OF_A_MODEL: tuple[FailureKind, ...] = (*PROVOKED, "not_for_people")

Cap = Literal[
    "session_turns", "session_tokens", "session_money", "day_turns", "day_tokens", "day_money"
]


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


@dataclass(frozen=True, slots=True)
class _Used:
    turns: int
    tokens: int
    cost_micros: int


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
    INSERT INTO assistant_days (site_id, day, assistant) VALUES (:site_id, :day, :assistant)
    ON CONFLICT (site_id, day, assistant) DO UPDATE SET turns = assistant_days.turns
    RETURNING turns, tokens, cost_micros
""")
# The row of a day is every visitor's: nobody holds it while the disk is waited for. What a crash of
# the database may lose is the count of its last moment.
_RELEASE_SOON = text("SET LOCAL synchronous_commit TO off")
_SET_ASIDE = """
       SET turns = turns + 1, tokens = tokens + :tokens, cost_micros = cost_micros + :cost
"""
_SET_ASIDE_SESSION = text(f"UPDATE assistant_sessions {_SET_ASIDE} WHERE session_id = :session_id")
_SET_ASIDE_DAY = text(f"""
    UPDATE assistant_days {_SET_ASIDE}
     WHERE site_id = :site_id AND day = :day AND assistant = :assistant
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
_SETTLE_SESSION = text("""
    WITH chat AS MATERIALIZED (
        SELECT id FROM chat_sessions WHERE id = :session_id FOR KEY SHARE
    )
    UPDATE assistant_sessions SET tokens = tokens + :tokens, cost_micros = cost_micros + :cost
      FROM chat WHERE session_id = chat.id
""")
_SETTLE_DAY = text("""
    UPDATE assistant_days
       SET tokens = tokens + :tokens, cost_micros = cost_micros + :cost,
           answered = answered + :answered, first_word_ms = first_word_ms + :first_word_ms,
           whole_ms = whole_ms + :whole_ms,
           failed = CASE WHEN CAST(:kind AS text) IS NULL THEN failed ELSE
               jsonb_set(failed, ARRAY[CAST(:kind AS text)],
                         to_jsonb(coalesce((failed ->> CAST(:kind AS text))::int, 0) + 1)) END
     WHERE site_id = :site_id AND day = :day AND assistant = :assistant
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


def admit(
    session: Session, site: SiteProfile, site_id: uuid.UUID, session_id: uuid.UUID | None
) -> Permit | Refusal:
    """May the site's assistant answer now? In the caller's transaction.

    `session_id` None: somebody tries it out, which counts for the day only and is not kept from
    an assistant that rests.
    """
    session.execute(_RELEASE_SOON)
    now = clock.now()
    about = session.execute(_ABOUT, {"session_id": session_id}).one_or_none()
    day = day_of(site, now)
    names = {"site_id": site_id, "day": day, "assistant": site.assistant}
    of_session = _Used(0, 0, 0)
    if about is not None:
        of_session = _used(session.execute(_OF_SESSION, {"session_id": session_id}).one())
    of_day = _used(session.execute(_OF_DAY, names).one())
    cap = _turns_used_up(site.ai, of_session, of_day)
    tokens, cost = None, 0
    if cap is None and site.assistant in COUNTED_BY_TOKEN:
        tokens, cap = _allowed_tokens(site.ai, of_session, of_day)
        cost = _highest_cost(site.ai, tokens)
    if cap is not None:
        return Refusal(site_id, day, cap)
    aside = {"tokens": tokens or 0, "cost": cost}
    if about is not None:
        is_resting = session.scalar(_HEALTH, {**names, "now": now})
        if is_resting:
            return Refusal(site_id, day, "resting")
        if is_resting is False:
            until = now + timedelta(seconds=site.ai.answer_seconds + 5)
            session.execute(_TRY, {**names, "until": until})
        session.execute(_SET_ASIDE_SESSION, {**aside, "session_id": session_id})
    session.execute(_SET_ASIDE_DAY, {**aside, **names})
    return Permit(
        site_id,
        session_id if about else None,
        day,
        tokens,
        cost,
        about.page_title if about else None,
        about.attribution or {} if about else {},
    )


def conclude(session: Session, site: SiteProfile, permit: Permit, finished: Finished) -> None:
    """Count an answer that has ended, and let the assistant rest after failures in a row.

    In the caller's transaction.
    """
    settle(session, site, permit, finished)
    names = _names(site, permit)
    if finished.failure is None:
        rested = session.execute(_WELL, names).one_or_none()
        if rested is not None and rested.resting_until is not None:
            events.announce(session, "sites", permit.site_id)
    elif finished.failure not in _provoked(site):
        _note_failure(session, names, finished.failure)


def settle(session: Session, site: SiteProfile, permit: Permit, finished: Finished) -> None:
    """Count what an answer took, in place of what was set aside for it; a visitor's answer is
    counted itself, too. In the caller's transaction.
    """
    session.execute(_RELEASE_SOON)
    is_answered = finished.failure is None and permit.session_id is not None
    used = {"tokens": 0, "cost": 0}
    if permit.tokens is not None:
        usage = finished.usage
        cost = usage.input_tokens * site.ai.price_in + usage.output_tokens * site.ai.price_out
        used = {
            "tokens": usage.input_tokens + usage.output_tokens - permit.tokens,
            "cost": round(cost) - permit.cost_micros,
        }
    if permit.session_id is not None:
        session.execute(_SETTLE_SESSION, {**used, "session_id": permit.session_id})
    counted = {
        **used,
        "answered": int(is_answered),
        "first_word_ms": (finished.first_word_ms or finished.whole_ms) if is_answered else 0,
        "whole_ms": finished.whole_ms if is_answered else 0,
        "kind": finished.failure if permit.session_id else None,
    }
    session.execute(_SETTLE_DAY, {**counted, **_names(site, permit)})


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


def _names(site: SiteProfile, permit: Permit) -> dict[str, Any]:
    return {"site_id": permit.site_id, "day": permit.day, "assistant": site.assistant}


def _used(row: Row[Any]) -> _Used:
    return _Used(row.turns, row.tokens, row.cost_micros)


def _turns_used_up(ai: AssistantSettings, of_session: _Used, of_day: _Used) -> Cap | None:
    if of_session.turns >= ai.session_turns:
        return "session_turns"
    return "day_turns" if of_day.turns >= ai.day_turns else None


def _allowed_tokens(
    ai: AssistantSettings, of_session: _Used, of_day: _Used
) -> tuple[int, Cap | None]:
    """What one answer may use, and the cap that leaves too little."""
    left: dict[Cap, float] = {
        "session_tokens": ai.session_tokens - of_session.tokens,
        "day_tokens": ai.day_tokens - of_day.tokens,
    }
    left["session_money"] = _tokens_for(ai, 1e6 * ai.session_money - of_session.cost_micros)
    left["day_money"] = _tokens_for(ai, 1e6 * ai.day_money - of_day.cost_micros)
    narrowest = min(left, key=lambda cap: left[cap])
    whole_turn = MOST_ROUNDS * (PROMPT_TOKENS + ai.history_tokens + ai.answer_tokens)
    tokens = int(min(left[narrowest], whole_turn))
    return tokens, narrowest if tokens < ai.least_tokens else None


def _highest_cost(ai: AssistantSettings, tokens: int) -> int:
    """Of an answer of so many tokens, as many of them written by the model as it may write."""
    written = min(tokens, _most_written(ai))
    return round(written * max(ai.price_in, ai.price_out) + (tokens - written) * ai.price_in)


def _tokens_for(ai: AssistantSettings, micros: float) -> float:
    """The longest answer whose highest cost is no more than that."""
    written, price = _most_written(ai), max(ai.price_in, ai.price_out)
    if price == 0:
        return math.inf
    if micros < written * price:
        return micros / price
    return written + (micros - written * price) / ai.price_in if ai.price_in else math.inf


def _most_written(ai: AssistantSettings) -> int:
    return MOST_ROUNDS * ai.answer_tokens
