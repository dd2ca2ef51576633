"""Layer 4's second half: every session in progress is judged again, whatever was judged before.

Almost none of them holds a promise, so a chunk of many is read in one go and looked through
without a lock; only those in which something was found are judged, one by one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.completion.judge import judge
from app.completion.known_sites import known_site
from app.sync.report import ReadReport

CAUSE = "manual_sync"
CHUNK_SESSIONS = 2000
#: A completion writes a lead and its deliveries; this many stay well below a sign of life's time.
MOST_JUDGED = 200
FIRST = uuid.UUID(int=0)

_COUNT = text("SELECT count(*) FROM chat_sessions WHERE completion_status = 'in_progress'")
_CHATS = text("""
    SELECT c.id, c.site_id, c.discounted_message_id, si.updated_at AS site_updated_at
      FROM chat_sessions c JOIN sites si ON si.id = c.site_id
     WHERE c.completion_status = 'in_progress' AND c.id > :after
     ORDER BY c.id LIMIT :most
""")
_SAID = text("""
    SELECT session_id, id, text FROM messages
     WHERE session_id = ANY(CAST(:ids AS uuid[])) AND role = 'assistant'
""")
_UNCHECKED = text("""
    SELECT DISTINCT session_id FROM messages
     WHERE session_id = ANY(CAST(:ids AS uuid[])) AND NOT is_checked
""")


@dataclass(frozen=True, slots=True)
class Judged:
    """`through`: the last session of the chunk; None when there was none left. `sessions`: how
    many were looked through.
    """

    through: uuid.UUID | None
    sessions: int
    found: ReadReport


def count_open(session: Session) -> int:
    return int(session.scalar(_COUNT) or 0)


def judge_chunk(session: Session, after: uuid.UUID) -> Judged:
    """Judge the next sessions in progress by id, in the caller's transaction."""
    chats = session.execute(_CHATS, {"after": after, "most": CHUNK_SESSIONS}).all()
    if not chats:
        return Judged(None, 0, ReadReport())
    rules = {
        chat.id: (
            known_site(chat.site_id, chat.site_updated_at, session).rule,
            chat.discounted_message_id or 0,
        )
        for chat in chats
    }
    ids = {"ids": [str(chat.id) for chat in chats]}
    wanted = set(session.scalars(_UNCHECKED, ids))
    for session_id, message_id, said in session.execute(_SAID, ids):
        rule, discounted = rules[session_id]
        if session_id in wanted or message_id <= discounted:
            continue
        if rule.at(message_id).find(said):
            wanted.add(session_id)
    hits = sorted(wanted)
    through = chats[-1].id
    if len(hits) > MOST_JUDGED:
        hits = hits[:MOST_JUDGED]
        through = hits[-1]
    done = judge(session, hits, CAUSE)
    found = ReadReport(
        completions_found=len(done),
        leads_created=sum(each.is_new_lead for each in done),
        deliveries_enqueued=sum(each.deliveries_enqueued for each in done),
    )
    return Judged(through, sum(chat.id <= through for chat in chats), found)
