"""Which session a conversation from outside belongs to: found, made, or deleted for good."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from app.chat.outside import Outside
from app.models.message_text import storable

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_OWN = re.compile(_UUID)
_OWN_WITH_NODE = re.compile(rf"({_UUID})__")
# A node's name begins with a capital and has letters; `shop__A1` is somebody's own name.
_NODE = re.compile(r"__(?=[A-Z]\w)(?=(?:[^\WA-Za-z]*+[A-Za-z]){3})")
_NO_WORD = re.compile(r"\W")

Key = tuple[uuid.UUID, str, str]


def session_key_of(raw: str) -> str:
    """The session's name without the `__Node_Name` that N8n's memory (1.4 and later) adds."""
    if found := _OWN_WITH_NODE.match(raw):
        return found[1]
    if "__" not in raw:
        return raw
    # The node's name ends the key and holds letters, digits and _ only.
    tail = max((other.end() for other in _NO_WORD.finditer(raw)), default=0)
    found = _NODE.search(raw, max(1, tail))
    return raw[: found.start()] if found else raw


@dataclass(frozen=True, slots=True)
class Resolved:
    """`sessions`: the session of each conversation, None for a deleted one; `made`: the new."""

    sessions: list[uuid.UUID | None]
    made: set[uuid.UUID]


_WANTED = """
    SELECT * FROM json_to_recordset(CAST(:wanted AS json))
      AS w (n int, own uuid, id uuid, site_id uuid, channel text, key text, at timestamptz)
"""
_IS_DELETED = """
    EXISTS (SELECT FROM deleted_sessions d WHERE d.session_id = w.own)
    OR EXISTS (SELECT FROM deleted_sessions d WHERE d.site_id = w.site_id
                  AND d.channel = w.channel AND d.external_session_id = w.key)
"""
_FIND = text(f"""
    SELECT w.n, coalesce(own.id, known.id) AS id, ({_IS_DELETED}) AS is_deleted
      FROM ({_WANTED}) w
      LEFT JOIN chat_sessions own ON own.id = w.own
      LEFT JOIN chat_sessions known ON known.site_id = w.site_id AND known.channel = w.channel
            AND known.external_session_id = w.key
""")  # noqa: S608 - put together from constants
# In the order of their keys, so that two who make the same ones never wait for each other.
_MAKE = text(f"""
    INSERT INTO chat_sessions (id, site_id, channel, external_session_id, visitor_id, started_at,
                               last_message_at, attribution, draft)
    SELECT w.id, w.site_id, w.channel, w.key, w.key, w.at, w.at, '{{}}', '{{}}' FROM ({_WANTED}) w
     WHERE NOT ({_IS_DELETED})
     ORDER BY w.site_id, w.channel, w.key
    ON CONFLICT (site_id, channel, external_session_id) DO NOTHING
    RETURNING id
""")  # noqa: S608 - put together from constants


def resolve(
    session: Session, conversations: Sequence[Outside], now: datetime, *, has_tails: bool
) -> Resolved:
    """The session of each conversation. `has_tails`: keys may end in a node's name."""
    keys = [_key(each, has_tails=has_tails) for each in conversations]
    firsts: dict[Key, dict[str, Any]] = {}
    for key, each in zip(keys, conversations, strict=True):
        times = [line.said_at for line in each.lines if line.said_at]
        wanted = firsts.setdefault(key, _wanted(len(firsts), key, now))
        wanted["at"] = min([*times, wanted["at"]])
    found = _find(session, firsts.values())
    missing = [each for each in firsts.values() if each["n"] not in found]
    made: set[uuid.UUID] = set()
    if missing:
        made = set(session.scalars(_MAKE, {"wanted": _json(missing)}))
        found |= {each["n"]: each["id"] for each in missing if each["id"] in made}
        lost = [each for each in missing if each["id"] not in made]
        if lost:  # somebody else was first
            found |= _find(session, lost)
    return Resolved([found.get(firsts[key]["n"]) for key in keys], made)


_LOCK = text("""
    SELECT s.id, s.site_id, s.channel, s.completion_status, s.draft, s.locale, s.timezone,
           s.assistant_engaged,
           (SELECT updated_at FROM sites WHERE sites.id = s.site_id) AS site_updated_at
      FROM chat_sessions s WHERE s.id = ANY(CAST(:ids AS uuid[])) ORDER BY s.id FOR UPDATE OF s
""")


def lock(session: Session, session_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Row[Any]]:
    """The sessions' rows, ours until the transaction ends; those deleted meanwhile are missing."""
    ids = [str(each) for each in session_ids]
    return {row.id: row for row in session.execute(_LOCK, {"ids": ids})} if ids else {}


def _key(conversation: Outside, *, has_tails: bool) -> Key:
    raw = storable(conversation.session_key)
    return (
        conversation.site_id,
        conversation.channel,
        session_key_of(raw) if has_tails else raw,
    )


def _wanted(number: int, key: Key, now: datetime) -> dict[str, Any]:
    site_id, channel, name = key
    return {
        "n": number,
        "own": name if _OWN.fullmatch(name) else None,
        "id": uuid.uuid4(),
        "site_id": site_id,
        "channel": channel,
        "key": name,
        "at": now,
    }


def _find(session: Session, wanted: Iterable[dict[str, Any]]) -> dict[int, uuid.UUID | None]:
    """By number; None: deleted. What is neither there nor deleted is missing."""
    rows = session.execute(_FIND, {"wanted": _json(wanted)})
    return {row.n: row.id for row in rows if row.id or row.is_deleted}


def _json(wanted: Iterable[dict[str, Any]]) -> str:
    return json.dumps(list(wanted), default=str)
