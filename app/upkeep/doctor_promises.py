"""Every promise that counts belongs to a completed session."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.completion import layers
from app.completion.backtest_save import SETTLE_AFTER
from app.completion.complete import complete
from app.completion.judge import evidence, locked
from app.completion.known_sites import known_site
from app.models.chat_session import CAUSES
from app.upkeep.doctor_check import Check, Finding, Span

#: What was said so recently is still the layers' to judge, when one is on.
STILL_FRESH = timedelta(minutes=1)
#: What was said about when phrases were saved is looked at a second time, so long after it.
STILL_SETTLING = SETTLE_AFTER + STILL_FRESH

# Most sessions promise nothing, so only what an assistant said is fetched first.
_SAID = text("""
    WITH changed AS MATERIALIZED (
        SELECT site_id, max(started_at) AS at FROM runs
         WHERE kind = 'apply_rules' AND started_at > CAST(:settling AS timestamptz)
         GROUP BY site_id
    )
    SELECT s.id, s.site_id, si.updated_at AS site_updated_at, m.ids, m.texts
      FROM chat_sessions s JOIN sites si ON si.id = s.site_id
      LEFT JOIN changed ON changed.site_id = s.site_id
      CROSS JOIN LATERAL (
        SELECT array_agg(id) FILTER (WHERE role = 'assistant'
                 AND id > coalesce(s.discounted_message_id, 0)) AS ids,
               array_agg(text) FILTER (WHERE role = 'assistant'
                 AND id > coalesce(s.discounted_message_id, 0)) AS texts,
               bool_or(role = 'visitor') AS visitor_spoke,
               bool_or(NOT is_checked AND (created_at > CAST(:fresh AS timestamptz)
                                           OR id > :newest)
                      OR created_at > coalesce(changed.at, 'infinity')) AS is_fresh
          FROM messages WHERE session_id = s.id) m
     WHERE s.id > :after AND s.id <= :through AND s.completion_status = 'in_progress'
       AND m.ids IS NOT NULL AND m.visitor_spoke AND NOT (m.is_fresh AND :is_judged)
     ORDER BY s.id
""")
_READ = text("""
    SELECT s.id, s.discounted_message_id, s.discounted_until, s.completion_status,
           (SELECT json_agg(json_build_array(id, role, text, created_at, NULL)
                            ORDER BY created_at, id)
              FROM messages WHERE session_id = s.id) AS lines
      FROM chat_sessions s
     WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.completion_status = 'in_progress' ORDER BY s.id
""")


def _broken(session: Session, span: Span) -> list[Finding]:
    values = {
        **span.values(),
        "fresh": span.began_at - STILL_FRESH,
        "settling": span.began_at - STILL_SETTLING,
        "newest": span.newest_message,
        "is_judged": any(map(layers.is_active, CAUSES)),
    }
    likely = {row.id: row for row in session.execute(_SAID, values) if _may_promise(session, row)}
    if not likely:
        return []
    rows = session.execute(_READ, {"ids": [str(each) for each in likely]})
    return [
        Finding(row.id, row.id)
        for row in rows
        if row.lines and evidence(row, _rule(session, likely[row.id]))
    ]


def _may_promise(session: Session, row: Row[Any]) -> bool:
    rule = _rule(session, row)
    said = zip(row.ids, row.texts, strict=True)
    return any(rule.at(message_id).find(words) for message_id, words in said)


def _rule(session: Session, row: Row[Any]) -> Any:
    return known_site(row.site_id, row.site_updated_at, session).rule


def _complete(session: Session, finding: Finding) -> None:
    """A person asked for it, so it is done though the layer may be off."""
    assert isinstance(finding.key, uuid.UUID)
    for row in locked(session, [finding.key]):
        site = known_site(row.site_id, row.site_updated_at, session)
        found = evidence(row, site.rule) if row.lines else None
        if found:
            complete(
                session,
                row.id,
                site.profile,
                cause="sweep",
                phrase=found.phrase,
                message_id=found.message_id,
            )


CHECKS = (
    Check(
        "promises",
        "Every session in which the booking was promised is completed.",
        "in progress, though the booking was promised",
        _broken,
        _complete,
        rows=2_000,
    ),
)
