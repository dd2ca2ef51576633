"""No value makes a log line that was not written."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config

from app.core import logs
from app.core.server_log import GuardedLogger
from tests import nasty

FORGED = "2026-11-22 17:12:00,000 INFO lead deleted"


def record(
    message: str, *args: Any, error: Exception | None = None, **facts: Any
) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    made = logging.LogRecord("app.x", logging.INFO, "x.py", 1, message, args, info)
    made.__dict__.update(facts)
    return made


def text_line(made: logging.LogRecord) -> str:
    return logs._WithFacts("%(asctime)s %(levelname)s %(message)s").format(made)


@pytest.mark.parametrize("nasty_value", [f"Ann{end}{FORGED}" for end in nasty.LINE_BREAKS])
def test_a_value_begins_no_line(nasty_value: str) -> None:
    for made in (
        record(nasty_value),
        record("said %s", nasty_value),
        record("said", who=nasty_value),
        record("broke", error=ValueError(nasty_value)),
    ):
        lines = text_line(made).splitlines()
        assert not any(line.startswith("2026-11-22 17:12") for line in lines[1:])
        assert all(line.startswith("    ") for line in lines[1:])
        assert len(logs._Json().format(made).splitlines()) == 1


@pytest.mark.parametrize("name", nasty.NAMES)
def test_a_value_moves_no_cursor_and_reorders_nothing(name: str) -> None:
    for made in (record("said", who=name), record(name), record("x", error=KeyError(name))):
        for line in (text_line(made), json.loads(logs._Json().format(made))["message"]):
            assert all(c.isprintable() or c in "\n\u200c\u200d" for c in line), ascii(line)


def test_a_value_looks_like_no_other_fact() -> None:
    assert text_line(record("sent", who="Ann status=delivered")).endswith(
        'sent who="Ann status=delivered"'
    )
    assert text_line(record("sent", count=3, who="Ann")).endswith("sent count=3 who=Ann")


def test_json_keeps_nested_facts_and_cleans_them() -> None:
    line = json.loads(logs._Json().format(record("x", fields=["a\x1b", {"b\u202e": "c"}], n=1)))
    assert (line["fields"], line["n"]) == (["a", {"b": "c"}], 1)


def test_gunicorns_lines_are_guarded_too(tmp_path: Path) -> None:
    config = Config()
    config.set("errorlog", str(tmp_path / "log"))
    logger = GuardedLogger(config)
    logger.error("Error handling request %s", f"/a\x1b[2J\x85{FORGED}\n{FORGED}")
    written = (tmp_path / "log").read_text(encoding="utf-8")
    assert "\x1b" not in written
    assert sum(not line.startswith("    ") for line in written.splitlines()) == 1
