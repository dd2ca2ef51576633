"""What must hold of N8n's rows afterwards: database and receiver against what was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from tests.proof.checks import Check
from tests.proof.memory_plan import Conversation, Row
from tests.proof.stage import Stage

Lines = dict[int, tuple[str, str, str]]


def check_all(stage: Stage, conversations: list[Conversation], rows: dict[int, Row]) -> list[Check]:
    completed = {
        key
        for (key,) in stage.query(
            "SELECT external_session_id FROM chat_sessions WHERE completion_status = 'completed'"
        )
    }
    return [
        _imported_once(stage, rows),
        _set_aside(stage, rows),
        _in_order(stage, rows),
        _one_session_each(stage, conversations),
        _completed(conversations, completed),
        _one_lead(stage, conversations),
        _told_once(stage, conversations),
        _received_once(stage, conversations),
        _all_judged(stage),
    ]


def _lines(rows: dict[int, Row]) -> Lines:
    return {n: (row.key, row.role, row.text) for n, row in rows.items() if row.role}


def _imported_once(stage: Stage, rows: dict[int, Row]) -> Check:
    stored: dict[int, list[Any]] = defaultdict(list)
    for number, *line in stage.query(
        "SELECT m.source_row, c.external_session_id, m.role, m.text"
        "  FROM messages m JOIN chat_sessions c ON c.id = m.session_id"
    ):
        stored[number].append(tuple(line))
    wanted = _lines(rows)
    broken = [
        f"row {number}: {wanted.get(number)} was stored as {stored.get(number, [])}"
        for number in sorted(wanted.keys() | stored.keys())
        if stored.get(number) != [wanted.get(number)]
    ]
    return Check("every committed row is imported once, as it was said", len(wanted), broken)


def _set_aside(stage: Stage, rows: dict[int, Row]) -> Check:
    aside = {n for (n,) in stage.query("SELECT source_row FROM memory_rows_set_aside")}
    wanted = {number for number, row in rows.items() if row.is_unreadable}
    broken = [f"row {number}" for number in sorted(aside ^ wanted)]
    return Check("what cannot be read, and nothing else, is set aside", len(wanted), broken)


def _in_order(stage: Stage, rows: dict[int, Row]) -> Check:
    wanted: dict[str, list[int]] = defaultdict(list)
    for number, (key, _, _) in sorted(_lines(rows).items()):
        wanted[key].append(number)
    found = dict(
        stage.query(
            "SELECT c.external_session_id, array_agg(m.source_row ORDER BY m.created_at, m.id)"
            "  FROM messages m JOIN chat_sessions c ON c.id = m.session_id GROUP BY 1"
        )
    )
    broken = [f"{key}: {found.get(key)}" for key in wanted if found.get(key) != wanted[key]]
    return Check("every conversation has its source's order", len(wanted), broken)


def _one_session_each(stage: Stage, conversations: list[Conversation]) -> Check:
    found = Counter(key for (key,) in stage.query("SELECT external_session_id FROM chat_sessions"))
    keys = {each.key for each in conversations}
    broken = [f"{key}: {found[key]}" for key in keys | found.keys() if found[key] != (key in keys)]
    return Check("every conversation is one session", len(keys), broken)


def _completed(conversations: list[Conversation], completed: set[str]) -> Check:
    wanted = {each.key for each in conversations if each.is_promised}
    broken = [f"{key} is not completed" for key in sorted(wanted - completed)]
    broken += [f"{key} is completed" for key in sorted(completed - wanted)]
    return Check("exactly those with a promise are completed", len(wanted), broken)


def _one_lead(stage: Stage, conversations: list[Conversation]) -> Check:
    leads: dict[str, list[str | None]] = defaultdict(list)
    for key, email in stage.query(
        "SELECT c.external_session_id, l.email FROM leads l"
        "  JOIN chat_sessions c ON c.id = l.session_id"
    ):
        leads[key].append(email)
    wanted = [each for each in conversations if each.is_promised]
    broken = [
        f"{each.key}: {leads[each.key]}" for each in wanted if leads[each.key] != [each.email]
    ]
    return Check("each of them has one lead, its own", len(wanted), broken)


def _told_once(stage: Stage, conversations: list[Conversation]) -> Check:
    found = Counter(
        stage.query(
            "SELECT c.external_session_id, d.destination_key FROM deliveries d"
            "  JOIN chat_sessions c ON c.id = d.session_id"
            " WHERE d.event = 'lead.completed' AND d.status = 'delivered'"
        )
    )
    every = Counter(
        stage.query(
            "SELECT c.external_session_id, d.destination_key FROM deliveries d"
            "  JOIN chat_sessions c ON c.id = d.session_id WHERE d.event = 'lead.completed'"
        )
    )
    wanted = {(each.key, "n8n") for each in conversations if each.is_promised}
    pairs = wanted | every.keys()
    broken = [
        f"{pair}: {every[pair]}, {found[pair]} delivered"
        for pair in sorted(pairs)
        if not every[pair] == found[pair] == (pair in wanted)
    ]
    return Check("each has one delivery per destination, delivered", len(wanted), broken)


def _received_once(stage: Stage, conversations: list[Conversation]) -> Check:
    session_ids = {
        key: str(session_id)
        for key, session_id in stage.query("SELECT external_session_id, id FROM chat_sessions")
    }
    ids: dict[str, set[str]] = defaultdict(set)
    bodies: dict[str, set[str]] = defaultdict(set)
    for taken in stage.receiver.taken:
        bodies[taken.webhook_id].add(taken.body)
        if taken.data["type"] == "lead.completed":
            ids[taken.data["data"]["session"]["id"]].add(taken.webhook_id)
    wanted = {session_ids.get(each.key, "") for each in conversations if each.is_promised}
    broken = [
        f"{each}: {len(ids[each])} ids"
        for each in wanted | ids.keys()
        if len(ids[each]) != (each in wanted)
    ]
    broken += [f"{each} came with another body" for each, seen in bodies.items() if len(seen) > 1]
    return Check("N8n received each once, by its webhook-id", len(wanted), broken)


def _all_judged(stage: Stage) -> Check:
    unchecked = stage.query("SELECT id::text FROM messages WHERE NOT is_checked")
    [(number,)] = stage.query("SELECT count(*) FROM messages")
    return Check("every message was judged", number, [row[0] for row in unchecked])
