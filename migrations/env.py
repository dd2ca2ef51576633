"""Alembic's way to the database: a connection handed over by the caller, or the app's own."""

from alembic import context
from sqlalchemy import Connection

from app import models
from app.core.db import Base, db


def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    """Procrastinate's tables are its own."""
    return not (kind == "table" and name is not None and name.startswith("procrastinate_"))


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


assert models.Site.metadata is Base.metadata
handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    migrate(handed_over)
else:
    with db.engine.connect() as own:
        migrate(own)
        own.commit()
