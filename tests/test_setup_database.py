"""The embedded PostgreSQL survives what machines and people do to it, or says what is wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg2
import pytest

from app.core import embedded

ROOT = Path(__file__).resolve().parent.parent
START_AND_DIE = """
import os, signal, sys
from pathlib import Path
from app.core import embedded
embedded.start(Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "instance"


def answers(database: embedded.EmbeddedDatabase) -> bool:
    connection = psycopg2.connect(database.url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('server_version_num')::int / 10000")
            return cursor.fetchone() == (embedded.VERSION,)
    finally:
        connection.close()


def is_running(instance: Path) -> bool:
    return (instance / "postgres" / "postmaster.pid").exists()


def test_it_starts_from_nothing_and_stops(instance: Path) -> None:
    database = embedded.start(instance)
    assert answers(database)
    database.stop()
    assert not is_running(instance)
    database.stop()


def test_a_server_whose_owner_was_killed_is_joined_and_stopped(instance: Path) -> None:
    command = [sys.executable, "-c", START_AND_DIE, str(instance)]
    killed = subprocess.run(command, cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert is_running(instance)
    database = embedded.start(instance)
    assert answers(database)
    database.stop()
    assert not is_running(instance)


def test_a_process_that_got_a_dead_servers_number_is_left_alone(instance: Path) -> None:
    stranger = psutil.Process(os.getpid())
    (instance / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n/gone\n")
    database = embedded.start(instance)
    assert answers(database)
    database.stop()
    assert stranger.is_running()


def test_an_interrupted_first_start_is_put_aside_not_deleted(instance: Path) -> None:
    (instance / "postgres" / embedded.COMPLETE_MARK).unlink()
    database = embedded.start(instance)
    assert answers(database)
    database.stop()
    assert len(list(instance.glob("postgres-unfinished-*/PG_VERSION"))) == 1


def test_data_of_another_version_is_a_sentence(instance: Path) -> None:
    version = instance / "postgres" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(embedded.EmbeddedError, match="holds the data of PostgreSQL 15"):
        embedded.start(instance)
    version.write_text("16\n")


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(embedded.EmbeddedError, match=r"cannot use .*file.* Make it writable"):
        embedded.start(tmp_path / "file" / "instance")
    with pytest.raises(embedded.EmbeddedError, match=r"cannot use .*file"):
        embedded.start(tmp_path / "file")


def test_a_server_that_will_not_start_points_to_its_own_words(instance: Path) -> None:
    settings = instance / "postgres" / "postgresql.conf"
    whole = settings.read_text()
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(embedded.EmbeddedError, match=r"did not start .*postgres/log"):
        embedded.start(instance)
    settings.write_text(whole)


START_AND_ASK = """
import sys, time
from pathlib import Path
import psycopg2
from app.core import embedded
database = embedded.start(Path(sys.argv[1]))
connection = psycopg2.connect(database.url)
time.sleep(1)
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
"""


def test_several_processes_may_start_it_for_the_very_first_time_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START_AND_ASK, str(tmp_path / "instance")]
    started = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    assert not list((tmp_path / "instance").glob("postgres-unfinished-*"))


def test_half_a_list_of_its_processes_is_mended(instance: Path) -> None:
    database = embedded.start(instance)
    (instance / "postgres" / ".handle_pids.json").write_text(f"[]999999999, {os.getpid()}]")
    database.stop()
    again = embedded.start(instance)
    assert answers(again)
    again.stop()
