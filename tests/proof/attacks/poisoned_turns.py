"""Messages, turns and jobs over which processes died, and a worker that is killed repeatedly."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import uuid

import psutil
import psycopg

from tests.proof.attacks.target import Target, new_address
from tests.proof.attacks.wire import ask, start_chat

#: Took exponential time to understand.
POISON = "please wait " * 40 + "zzz"
ROUNDS = 6
ROUND_SECONDS = 8.0
#: Turns a round leaves behind as if their answerers had died: `n` of them `breaks` times.
ABANDONED = {1: 3, 2: 3}
_MESSAGE = """
    INSERT INTO messages (session_id, role, text, created_at, is_checked)
    VALUES (%s, 'visitor', %s, now(), true) RETURNING id
"""
_TURN = """
    INSERT INTO turns (session_id, message_id, token, expires_at, breaks)
    VALUES (%s, %s, %s, now() - interval '1 minute', %s)
"""
_STALLED = """
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
    VALUES ('default', %s, %s, 'doing')
"""


def attack(target: Target, stop: threading.Event) -> None:
    for _ in range(ROUNDS):
        _say_poison(target)
        with contextlib.suppress(psycopg.Error, OSError):
            _leave_behind(target)
        _kill_a_worker(target)
        if stop.wait(ROUND_SECONDS):
            return
    stop.wait()


def _say_poison(target: Target) -> None:
    try:
        path, headers = start_chat(target.port, target.site, new_address())
        data = {"client_id": str(uuid.uuid4()), "text": POISON}
        status, _ = ask(target.port, "POST", path, headers, data)
        target.tally[f"poisoned turns: a poison message was answered with {status}"] += 1
    except OSError:
        target.tally["poisoned turns: a poison message was not answered in time"] += 1


def _leave_behind(target: Target) -> None:
    """Turns and jobs as a dead process leaves them."""
    for breaks, number in ABANDONED.items():
        for _ in range(number):
            path, _ = start_chat(target.port, target.site, new_address())
            session_id = path.split("/")[3]
            with psycopg.connect(target.database_url) as connection:
                row = connection.execute(_MESSAGE, (session_id, POISON)).fetchone()
                assert row is not None, "an insert gives its row"
                connection.execute(_TURN, (session_id, row[0], uuid.uuid4(), breaks))
                connection.execute(
                    "UPDATE chat_sessions SET message_count = message_count + 1 WHERE id = %s",
                    (session_id,),
                )
            target.tally["poisoned turns: turns left behind"] += 1
    with psycopg.connect(target.database_url) as connection:
        for task, arguments in (("deliver", {"destination_key": "n8n"}), ("settle", {})):
            connection.execute(_STALLED, (task, json.dumps(arguments)))
            target.tally["poisoned turns: jobs left behind"] += 1


def _kill_a_worker(target: Target) -> None:
    """kill -9 of a process that a worker's supervisor forked, as a job that crashes would."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if not _is_worker(process, target):
                continue
            for child in process.children():
                os.kill(child.pid, signal.SIGKILL)
                target.tally["poisoned turns: worker processes killed"] += 1
                return


def _is_worker(process: psutil.Process, target: Target) -> bool:
    if "worker" not in process.cmdline() or not process.children():
        return False
    return process.environ().get("DATABASE_URL") == target.database_url
