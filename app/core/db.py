"""The database: base class, naming convention and the one place that commits (rule 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, Session

from app.core import events
from app.core.connection_shares import Part, SharedPool, share_of
from app.core.statement_timeout import limit_statements, set_local


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(model: type[Base]) -> Table:
    """A model's table, for statements that need no objects."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


def init_app(app: Flask) -> None:
    """Give the app its engine, with connections divided by `core.connection_shares`."""
    app.config["SQLALCHEMY_ENGINE_OPTIONS"]["poolclass"] = SharedPool
    db.init_app(app)
    with app.app_context():
        limit_statements(db.engine)


def callers_waiting() -> dict[Part, int]:
    """How many callers of this process wait for a connection, by part of the work."""
    pool = db.engine.pool
    return pool.gate.waiting() if isinstance(pool, SharedPool) else {}


@contextmanager
def transaction() -> Iterator[Session]:
    """Everything in the block is committed together, or not at all. Does not nest.

    Notices announced by `events.announce` go out with the commit. Afterwards the connection is
    back in the pool.
    """
    session: Session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("transaction() does not nest: the caller's is already open")
    session.info["in_transaction"] = True
    try:
        yield session
        session.flush()
        events.flush(session)
        session.commit()
        session.info["has_committed"] = True
    except BaseException:
        session.info.pop("announced", None)
        session.rollback()
        raise
    finally:
        session.info.pop("in_transaction", None)


def has_committed() -> bool:
    """Whether this request or task has committed anything yet."""
    return bool(db.session().info.get("has_committed"))


def call(function: str, *arguments: Any, session: Session | None = None) -> tuple[Any, ...] | None:
    """The first row that a function of the database gives, None when it gives none.

    Part of `session`'s transaction; without one it is a transaction of its own, in a single round
    trip and past SQLAlchemy, for the hottest paths.
    """
    if session is None:
        return call_on(db.engine, function, *arguments)
    row = session.connection().exec_driver_sql(_call_sql(function, arguments), arguments).fetchone()
    return None if row is None else tuple(row)


def call_on(engine: Engine, function: str, *arguments: Any) -> tuple[Any, ...] | None:
    """`call`, a transaction of its own, for threads without an app context."""
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # Several statements sent as one are a transaction of their own.
            cursor.execute(set_local(share_of(pooled)) + _call_sql(function, arguments), arguments)
            row: tuple[Any, ...] | None = cursor.fetchone()
        connection.autocommit = False
    except BaseException:
        # Back in the pool it would make somebody's transaction() commit line by line.
        pooled.invalidate()
        raise
    finally:
        pooled.close()
    return row


def _call_sql(function: str, arguments: tuple[Any, ...]) -> str:
    return f"SELECT * FROM {function}({', '.join(['%s'] * len(arguments))})"  # noqa: S608


def release() -> None:
    """Give the connection of finished reads back to the pool, keeping loaded objects usable."""
    session: Session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("release() inside a transaction would lose it")
    session.expunge_all()
    session.rollback()
