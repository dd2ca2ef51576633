"""What reviewers decided about made-up sessions: the moves that lead to each one's QA status."""

# ruff: noqa: S608 - put together from constants
from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.models.qa import CATEGORIES
from app.upkeep.seed_sql import chance, one_of

_CATEGORIES = f"ARRAY[{', '.join(repr(category) for category in CATEGORIES)}]"
_WRONG = "ARRAY['Did not answer what was asked', 'Asked for the phone twice', 'Too curt']"
_DONE = "ARRAY['Put the opening hours right', 'Changed the prompt', 'Corrected the lead']"
_SOMEBODY = "(SELECT coalesce(array_agg(id ORDER BY email), '{}') FROM users WHERE is_active)"
# As long as a decision took: at most three days from the end, a fix at most ten more.
_MOVES = f"""
    WITH checked AS (
        SELECT s.g, s.id, c.qa_status, e.id AS message_id, s.ended + {chance(30)}
               * least(interval '3 days', (CAST(:now AS timestamptz) - s.ended) / 2) AS at
          FROM seed_sessions s JOIN chat_sessions c ON c.id = s.id
          JOIN seed_lines e ON e.session_id = s.id AND e.n = s.lines
         WHERE c.qa_status <> 'unchecked'
    ), people AS (SELECT {_SOMEBODY} AS ids)
    INSERT INTO qa_moves (session_id, at, user_id, from_status, to_status, note, category,
           message_id)
    SELECT k.id, m.at, {one_of("p.ids", 31, "k.g * 10 + m.nth")}, m.before, m.after, m.note,
           CASE WHEN m.after = 'issue' THEN {one_of(_CATEGORIES, 32, "k.g")} END,
           CASE WHEN m.after = 'issue' THEN k.message_id END
      FROM checked k CROSS JOIN people p CROSS JOIN LATERAL (
           SELECT 1 AS nth, k.at, 'unchecked' AS before, 'passed' AS after, NULL::text AS note
            WHERE k.qa_status = 'passed'
           UNION ALL
           SELECT 1, k.at, 'unchecked', 'issue', {one_of(_WRONG, 33, "k.g")}
            WHERE k.qa_status <> 'passed'
           UNION ALL
           SELECT 2, k.at + {chance(34, "k.g")}
                  * least(interval '10 days', CAST(:now AS timestamptz) - k.at), 'issue', 'fixed',
                  {one_of(_DONE, 35, "k.g")}
            WHERE k.qa_status = 'fixed') m
     ORDER BY k.g, m.nth
"""


def add(session: Session, values: dict[str, Any]) -> None:
    """For the chunk whose sessions are in the temporary tables; `values`: `seed` and `now`."""
    session.execute(text(_MOVES), values)
