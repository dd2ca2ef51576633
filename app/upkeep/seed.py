"""A made-up history of any size, in bulk: sessions with messages, leads and deliveries.

Everything that `doctor` checks holds for it, and nothing of it is left to be sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.completion.detection import compile_phrases
from app.core import clock
from app.core.db import db, transaction
from app.core.errors import Conflict
from app.gateways.n8n_memory import table_name
from app.models import Site
from app.sync import sources
from app.upkeep import seed_qa, seed_sql
from app.upkeep.seed_words import WORDS, Words

CHUNK_SESSIONS = 20_000
DESTINATIONS = ("n8n", "console")
TABLES = (
    "chat_sessions",
    "messages",
    "session_events",
    "leads",
    "lead_events",
    "deliveries",
    "delivery_attempts",
    "qa_moves",
)

_COUNT = text("SELECT count(*) FROM chat_sessions WHERE starts_with(visitor_id, :start)")
_DESTINATION = text(
    "INSERT INTO destinations (key, kind) VALUES (:key, :key) ON CONFLICT DO NOTHING"
)
_SEEN = text("""
    UPDATE memory_sources SET seen_at = :now, high_row =
           greatest(high_row, (SELECT coalesce(max(source_row), 0) FROM seed_lines))
     WHERE id = :source
""")


@dataclass(frozen=True, slots=True)
class Speaker:
    """A site and the words that are spoken there; `phrase` completes."""

    site_id: uuid.UUID
    words: Words


def seed(
    sessions: int,
    *,
    random_seed: int,
    memory_rows: bool = False,
    tell: Callable[[int, int], None] = lambda done, lines: None,
) -> int:
    """Add this many made-up sessions, the newest an hour old, the oldest two years. Gives how many
    messages they have.

    The same `random_seed` gives the same sessions, and once more gives further ones. With
    `memory_rows` those of N8n have their rows in its table, too, as read already; it is made when
    there is none. `tell`: sessions and messages so far. Raises Conflict.
    """
    with transaction() as session:
        speakers = _speakers(session)
        source = _source(session) if memory_rows else None
        begin = session.scalar(_COUNT, {"start": f"seed-{random_seed}-"}) or 0
        for key in DESTINATIONS:
            session.execute(_DESTINATION, {"key": key})
    now, lines = clock.now(), 0
    for first in range(begin + 1, begin + sessions + 1, CHUNK_SESSIONS):
        last = min(first + CHUNK_SESSIONS - 1, begin + sessions)
        values = {"seed": random_seed, "first": first, "last": last, "now": now}
        with transaction() as session:
            lines += _chunk(session, speakers, values, source)
        tell(last - begin, lines)
    _analyze(source)
    return lines


def _chunk(
    session: Session,
    speakers: list[Speaker],
    values: dict[str, Any],
    source: sources.Source | None,
) -> int:
    def run(statement: str, **more: Any) -> None:
        session.execute(text(statement), {**values, **more})

    run(seed_sql.SITES)
    for number, speaker in enumerate(speakers):
        run(seed_sql.ADD_SITE, number=number, id=speaker.site_id, **_columns(speaker.words))
    run(seed_sql.SESSIONS)
    table = source and table_name(source.table)
    if table:
        # Whoever reads the table meanwhile would take what is not committed yet for a gap.
        sources.lock(session, table, wait=True)
    row = seed_sql.NEXT_ROW.format(table=table) if table else seed_sql.NO_ROW
    run(seed_sql.LINES.replace("{row}", row))
    run("ANALYZE seed_sessions")
    run("ANALYZE seed_lines")
    run(seed_sql.INSERT_SESSIONS.format(cause=seed_sql.CAUSE))
    if table:
        run(seed_sql.INSERT_ROWS.format(table=table))
    run(seed_sql.INSERT_MESSAGES, source=source and source.id)
    run(seed_sql.INSERT_EVENTS.format(cause=seed_sql.CAUSE))
    run(seed_sql.LEADS)
    run(seed_sql.HAPPENED)
    run(seed_sql.INSERT_HAPPENED)
    run(seed_sql.SENT)
    run(seed_sql.INSERT_DELIVERIES)
    run(seed_sql.INSERT_ATTEMPTS)
    seed_qa.add(session, values)
    if source:
        session.execute(_SEEN, {"source": source.id, "now": values["now"]})
    lines = session.scalar(text("SELECT count(*) FROM seed_lines")) or 0
    run(seed_sql.DROP)
    return lines


def _columns(words: Words) -> dict[str, Any]:
    return {
        "greeting": words.greeting,
        "visitor": list(words.visitor),
        "assistant": list(words.assistant),
        "phrase": words.phrase,
        "confirmation": words.confirmation,
        "first_names": list(words.first_names),
        "last_names": list(words.last_names),
        "dial": words.dial,
    }


def _speakers(session: Session) -> list[Speaker]:
    """The site that N8n's table belongs to comes first, then the sample sites."""
    samples = [Speaker(_sample_site(session, words).id, words) for words in WORDS]
    found = sources.current(session)
    table = sources.default_table()
    source = next((each for each in found if each.table == table), found[0] if found else None)
    if source is None:
        return samples
    site = session.get_one(Site, source.site_id)
    return [Speaker(site.id, _as_its_site(site)), *(s for s in samples if s.site_id != site.id)]


def _as_its_site(site: Site) -> Words:
    """English words that mean here what they are meant to: only the confirmation completes."""
    rule = compile_phrases(tuple(site.phrases), tuple(site.exclusions))
    english = WORDS[0]
    for phrase in site.phrases:
        confirmation = f"Thank you! We will contact you {phrase}."
        if found := rule.find(confirmation):
            break
    else:
        raise Conflict(
            f"The site {site.key} has no phrase that completes a session, or its exclusions take "
            "it back. Give it one first."
        )
    said = (english.greeting, *english.assistant)
    if any(map(rule.find, said)):
        raise Conflict(
            f"The phrases of the site {site.key} complete a session at any sentence. "
            "Change them first."
        )
    return replace(english, phrase=found, confirmation=confirmation)


def _sample_site(session: Session, words: Words) -> Site:
    key, name = words.site
    site = session.scalar(select(Site).where(Site.key == key))
    if site is None:
        now = clock.now()
        site = Site(
            key=key,
            name=name,
            greeting=words.greeting,
            language=words.language,
            region=words.region,
            timezone=words.timezone,
            allowed_origins=[],
            fields=[],
            consent={"mode": "none", "text": "", "version": "1"},
            phrases=[words.phrase],
            exclusions=[],
            confirmation=words.confirmation,
            flow={},
            created_at=now,
            updated_at=now,
        )
        session.add(site)
        session.flush()
    elif words.phrase not in site.phrases or site.exclusions:
        raise Conflict(f"The phrases of the site {key} were changed. Rename it, or undo that.")
    return site


def _source(session: Session) -> sources.Source:
    """N8n's table of the default name, made when it is not there."""
    table = sources.default_table()
    if sources.outside_url():
        raise Conflict("N8n's memory is in a database of its own, where nothing is written.")
    source = next((each for each in sources.current(session) if each.table == table), None)
    if source is None:
        raise Conflict(f"No site reads the table {table}.")
    session.execute(
        text(
            f"CREATE TABLE IF NOT EXISTS {table_name(table)} (id SERIAL PRIMARY KEY,"
            " session_id VARCHAR(255) NOT NULL, message JSONB NOT NULL)"
        )
    )
    return source


def _analyze(source: sources.Source | None) -> None:
    """What was added is many times what the planner knows of; autovacuum would come too late."""
    names = [*TABLES, table_name(source.table)] if source else [*TABLES]
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in names:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {name}")
