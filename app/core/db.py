"""The database: base class, naming convention and the one place that commits (rule 5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Session

from app.core import events


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


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


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
    except BaseException:
        session.info.pop("announced", None)
        session.rollback()
        raise
    finally:
        session.info.pop("in_transaction", None)


def release() -> None:
    """Give the connection of finished reads back to the pool, keeping loaded objects usable."""
    session: Session = db.session()
    if session.info.get("in_transaction"):
        raise RuntimeError("release() inside a transaction would lose it")
    session.expunge_all()
    session.rollback()
