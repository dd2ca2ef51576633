"""A made-up history obeys every rule a real one does."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import text

from app.core.db import transaction
from app.sites.demo import ensure_demo_site
from app.sync import memory
from app.upkeep import doctor
from app.upkeep.seed import seed


def _scalar(statement: str) -> int:
    with transaction() as session:
        return int(session.scalar(text(statement)) or 0)


def test_a_seeded_history_breaks_no_rule_and_leaves_nothing_to_do(database: Flask) -> None:
    with transaction() as session:
        ensure_demo_site(session)
    try:
        lines = seed(300, random_seed=5, memory_rows=True)
        seed(40, random_seed=5, memory_rows=True)
        report = memory.read_new(None, cause="auto_sync")
        rows = _scalar("SELECT count(*) FROM n8n_chat_histories")
    finally:
        with transaction() as session:
            session.execute(text("DROP TABLE IF EXISTS n8n_chat_histories"))

    assert [result.check for result in doctor.examine(fix=False) if result.count] == []
    assert _scalar("SELECT count(*) FROM chat_sessions") == 340
    assert lines > 2000
    assert rows == _scalar("SELECT count(*) FROM messages WHERE source_row IS NOT NULL") > 0
    assert (report.messages_added, report.sessions_created) == (0, 0)
    assert _scalar("SELECT count(*) FROM messages WHERE NOT is_checked") == 0
    assert _scalar("SELECT count(*) FROM procrastinate_jobs") == 0
    assert _scalar("SELECT count(*) FROM chat_sessions WHERE completion_status = 'completed'") > 0


def test_the_same_random_seed_makes_the_same_sessions(database: Flask) -> None:
    fingerprint = """
        SELECT hashtextextended(string_agg(visitor_id || completion_status || message_count
               || coalesce(channel, ''), ',' ORDER BY visitor_id), 0) FROM chat_sessions
    """
    with transaction() as session:
        ensure_demo_site(session)
    seed(50, random_seed=9)
    first = _scalar(fingerprint)
    with transaction() as session:
        session.execute(text("DELETE FROM chat_sessions"))
    seed(50, random_seed=9)

    assert _scalar(fingerprint) == first
