"""Is there a promise in what was said? Sessions whose messages nobody has judged, judged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.completion import layers
from app.completion.complete import Completed, Promise, complete_many
from app.completion.detection import ChangedRule, Confirmation, Rule, confirmed_by
from app.completion.known_sites import known_site
from app.delivery.payload import read_lines

# Locked in the order of their ids, so that two who judge many never wait for each other.
_READ = text("""
    WITH chats AS MATERIALIZED (
        SELECT id, site_id, discounted_message_id, discounted_until, completion_status
          FROM chat_sessions WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE
    )
    SELECT chats.*, si.updated_at AS site_updated_at, m.lines, m.unchecked
      FROM chats JOIN sites si ON si.id = chats.site_id
      CROSS JOIN LATERAL (
        SELECT CASE WHEN chats.completion_status = 'in_progress' THEN
                 json_agg(json_build_array(id, role, text, created_at, NULL)
                          ORDER BY created_at, id) END AS lines,
               array_agg(id) FILTER (WHERE NOT is_checked) AS unchecked
          FROM messages WHERE session_id = chats.id
      ) m
""")
_CHECKED = text("UPDATE messages SET is_checked = true WHERE id = ANY(CAST(:ids AS bigint[]))")


def judge(session: Session, session_ids: Sequence[uuid.UUID], cause: str) -> list[Completed]:
    """Complete those of these sessions in which the booking was promised, in the caller's
    transaction; whatever was said in them counts as judged from now on.

    Nothing happens when `cause` is a layer that is switched off (COMPLETION_LAYERS).
    """
    if not session_ids or not layers.is_active(cause):
        return []
    rows = locked(session, session_ids)
    promises = []
    for row in rows:
        site = known_site(row.site_id, row.site_updated_at, session)
        found = evidence(row, site.rule) if row.lines else None
        if found:
            promises.append(Promise(row.id, site.profile, found.phrase, found.message_id))
    completed = complete_many(session, promises, cause=cause)
    unchecked = [message_id for row in rows for message_id in row.unchecked or ()]
    if unchecked:
        session.execute(_CHECKED, {"ids": unchecked})
    return completed


def locked(session: Session, session_ids: Sequence[uuid.UUID]) -> Sequence[Row[Any]]:
    """These sessions, locked, with what `evidence` needs and the ids of messages not judged yet
    (`unchecked`). `lines` is None for one that is completed, or in which nothing was said.
    """
    return session.execute(_READ, {"ids": [str(each) for each in session_ids]}).all()


def evidence(row: Row[Any], rule: Rule | ChangedRule) -> Confirmation | None:
    """The first promise in `row.lines` that counts: what a person discounted does not.

    `row` has `lines` (as `payload.LINES` gives them), `discounted_message_id` and
    `discounted_until`.
    """
    after = discounted(row.discounted_message_id, row.discounted_until)
    return confirmed_by(read_lines(row.lines), rule, after)


def discounted(message_id: int | None, until: datetime | None) -> tuple[int, datetime] | None:
    return None if message_id is None or until is None else (message_id, until)
