"""The migrations make exactly the tables the models describe."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask

from app.core.db import Base, db
from app.core.migrations import is_current


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def test_the_migrations_make_what_the_models_describe(database: Flask) -> None:
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": _is_ours})
        assert compare_metadata(context, Base.metadata) == []
        assert is_current(connection)
