"""The trigger on N8n's table tells of new rows, and is never in N8n's way."""

# ruff: noqa: S608 - tests name their own tables
from __future__ import annotations

import psycopg
import pytest

from app.core.errors import Conflict, Denied, NotFound
from app.sync import sources, trigger
from config import Settings
from tests.sync import n8n
from tests.sync.n8n import TABLE, run, write
from tests.sync.test_memory_elsewhere import elsewhere as elsewhere


def heard(connection: psycopg.Connection) -> list[tuple[str, tuple[int, int]] | None]:
    return [trigger.parse(each.payload) for each in connection.notifies(timeout=0.5)]


def test_each_insert_tells_the_table_and_its_row_numbers(memory: str, settings: Settings) -> None:
    assert not trigger.is_installed(TABLE)
    trigger.install(TABLE)
    trigger.install(TABLE)
    assert trigger.is_installed(TABLE)
    with psycopg.connect(settings.listen_url, autocommit=True) as listener:
        listener.execute(f"LISTEN {trigger.CHANNEL}")
        write("S-1", "Hello")
        n8n.fill("'S-1'", "'x'", 2, 9)
        run(f"INSERT INTO {TABLE} (session_id, message) SELECT 'a', '{{}}' WHERE false")
        assert heard(listener) == [(TABLE, (1, 1)), (TABLE, (2, 9))]
    run("DROP FUNCTION p5_memory_notice CASCADE")
    assert not trigger.is_installed(TABLE)


def test_an_insert_succeeds_whatever_happens_to_the_notice(memory: str) -> None:
    trigger.install(TABLE)
    run(f"ALTER TABLE {TABLE} RENAME COLUMN id TO number")
    run(f"INSERT INTO {TABLE} (session_id, message) VALUES ('S-1', '{{}}')")
    assert n8n.count(TABLE) == 1
    run("DROP FUNCTION p5_memory_notice CASCADE")


def test_a_missing_table_is_told_in_a_sentence(site: str) -> None:
    with pytest.raises(NotFound, match="no table"):
        trigger.install(TABLE)
    with pytest.raises(NotFound, match="no table"):
        trigger.install("nowhere.chats")
    assert not trigger.is_installed(TABLE)


def test_a_table_that_is_no_memory_goes_on_working(site: str) -> None:
    run("CREATE TABLE others (words text)")
    try:
        trigger.install("others")
        run("INSERT INTO others VALUES ('still works')")
        assert n8n.count("others") == 1
    finally:
        run("DROP TABLE others")
        run("DROP FUNCTION p5_memory_notice")


def test_a_table_in_use_is_not_waited_for(memory: str) -> None:
    with n8n.db.engine.connect() as other:
        other.exec_driver_sql(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE")
        with pytest.raises(Conflict, match="in use"):
            trigger.install(TABLE)
    assert not trigger.is_installed(TABLE)


def test_who_may_only_read_is_told_what_is_missing(elsewhere) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Denied, match="TRIGGER"):
        trigger.install(TABLE)
    assert not trigger.is_installed(TABLE)


def test_in_another_database_with_the_right_to_it(elsewhere, settings: Settings) -> None:  # type: ignore[no-untyped-def]
    role = n8n.make_url(sources.outside_url()).username
    run(f"GRANT TRIGGER ON {TABLE} TO {role}", elsewhere)
    run(f"GRANT CREATE ON SCHEMA public TO {role}", elsewhere)
    trigger.install(TABLE)
    assert trigger.is_installed(TABLE)
    write("S-1", "Hello", engine=elsewhere)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "x",
        "t 1",
        "t 1 2 3",
        "t -1 2",
        "t 2 1",
        "t 1 99999999999999999999",
        "t;drop 1 2",
        "t 1 b",
    ],
)
def test_a_strange_notice_is_none_of_ours(payload: str) -> None:
    assert trigger.parse(payload) is None


def test_a_notice_names_its_table_with_its_schema() -> None:
    assert trigger.parse("n8n.chats 5 7") == ("n8n.chats", (5, 7))
