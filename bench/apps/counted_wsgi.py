"""The product, and a note of every connection it takes out of its pool.

A line for each, when it is given back, in HOLDS_FOLDER/<process id>: taken, given back, both as
`time.monotonic()`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import event

from app.core.db import db
from wsgi import app

__all__ = ["app"]

_file = (Path(os.environ["HOLDS_FOLDER"]) / str(os.getpid())).open("a", buffering=1)

with app.app_context():
    _pool = db.engine.pool


@event.listens_for(_pool, "checkout")
def _taken(_connection: Any, record: Any, _proxy: Any) -> None:
    record.info["taken_at"] = time.monotonic()


@event.listens_for(_pool, "checkin")
def _given_back(_connection: Any, record: Any) -> None:
    if taken_at := record.info.pop("taken_at", None):
        _file.write(f"{taken_at} {time.monotonic()}\n")
