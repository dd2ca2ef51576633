"""Who has to know of a QA move is told by e-mail; not more than one letter in ten minutes each.

What comes within ten minutes of somebody's last letter waits as a row, and goes out together. Each
recipient's notices are one queue, locked by the address: no two decide at once whether to wait.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, func, outerjoin, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.queue import defer
from app.delivery import letters, outbox
from app.delivery.settings import current
from app.models import Delivery, User
from app.models.qa import QaMove, QaNotice
from app.review import qa_letters

GATHER = "gather_qa_notices"
PAUSE = timedelta(minutes=10)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('qa notices ' || :recipient, 0))")


def tell(session: Session, move: QaMove) -> None:
    """Note whom this move concerns, in its transaction, and have them told: at once or gathered."""
    recipients = sorted(_concerned(session, move))
    # All before anything is written: the first letter of all makes the mail service's row, for
    # which others would wait while they are waited for here.
    for recipient in recipients:
        session.execute(_LOCK, {"recipient": recipient})
    for recipient in recipients:
        again_at = _again_at(session, recipient)
        is_first = not session.scalar(select(_waiting(recipient).exists()))
        notice = QaNotice(
            kind=f"qa.{move.to_status}",
            recipient=recipient,
            move_id=move.id,
            created_at=clock.now(),
        )
        session.add(notice)
        session.flush()
        if is_first and again_at is None:
            letter = qa_letters.single(session, notice)
            sent = letters.enqueue(session, notice.kind, letter, session_id=move.session_id)
            _mark(session, [notice.id], sent)
        elif is_first:
            defer(session, GATHER, at=again_at, recipient=recipient)


def withdraw(session: Session, move: QaMove) -> None:
    """What has not been sent of this move does not go out: waiting notices, and its own letters
    where the mail service keeps them waiting.
    """
    session.execute(delete(QaNotice).where(QaNotice.move_id == move.id, QaNotice.sent_at.is_(None)))
    own = select(Delivery.id).join(QaNotice, Delivery.id == QaNotice.delivery_id)
    own = own.where(QaNotice.move_id == move.id, Delivery.event == QaNotice.kind)
    outbox.cancel_unsent(session, session.scalars(own).all())


def gather(session: Session, recipient: str) -> int:
    """Send what waits for this recipient as one letter, unless the last one is too fresh.

    Gives how many notices went into it. Never twice: they are locked, and marked with the letter.
    """
    session.execute(_LOCK, {"recipient": recipient})
    if _again_at(session, recipient):
        return 0
    ids = session.scalars(_waiting(recipient).order_by(QaNotice.id).with_for_update()).all()
    if not ids:
        return 0
    if not _is_welcome(session, recipient):
        session.execute(delete(QaNotice).where(QaNotice.id.in_(ids)))
        return 0
    letter = qa_letters.digest(session, recipient, ids)
    _mark(session, ids, letters.enqueue(session, "qa.digest", letter))
    return len(ids)


def forgotten(session: Session) -> Sequence[str]:
    """Recipients of notices that wait although their time has come."""
    fresh = _just_told(select(QaNotice.recipient))
    return session.scalars(
        select(QaNotice.recipient)
        .where(QaNotice.sent_at.is_(None), QaNotice.recipient.not_in(fresh))
        .distinct()
    ).all()


def _concerned(session: Session, move: QaMove) -> set[str]:
    """Addresses: of an issue whoever fixes them, of what is fixed who reported it. Nobody is told
    of what they did themselves, unless their address is on the developers' list.
    """
    if move.to_status == "issue":
        listed = _listed()
        to_admins = _wants_notices().where(User.role == "admin", User.id != move.user_id)
        return listed or set(session.scalars(to_admins))
    if move.to_status != "fixed":
        return set()
    reporter = (
        select(QaMove.user_id)
        .where(
            QaMove.session_id == move.session_id,
            QaMove.to_status == "issue",
            QaMove.undone_at.is_(None),
        )
        .order_by(QaMove.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return set(
        session.scalars(_wants_notices().where(User.id == reporter, User.id != move.user_id))
    )


def _listed() -> set[str]:
    return {address.lower() for address in current().qa_notify_emails}


def _wants_notices() -> Select[str]:
    return select(User.email).where(User.is_active, User.wants_notices)


def _is_welcome(session: Session, recipient: str) -> bool:
    """Whoever was shut out, or wants no letters, while notices waited gets none."""
    if recipient in _listed():
        return True
    return session.scalar(_wants_notices().where(User.email == recipient)) is not None


def _again_at(session: Session, recipient: str) -> datetime | None:
    """When the next letter may go, if not now."""
    sent = _just_told(select(func.max(QaNotice.sent_at))).where(QaNotice.recipient == recipient)
    last = session.scalar(sent)
    return last + PAUSE if last else None


def _just_told(statement: Select[Any]) -> Select[Any]:
    """Of notices in letters of the last ten minutes. One that was taken back told nobody."""
    letter = outerjoin(QaNotice, Delivery, Delivery.id == QaNotice.delivery_id)
    return statement.select_from(letter).where(
        QaNotice.sent_at > clock.now() - PAUSE, Delivery.status.is_distinct_from("cancelled")
    )


def _waiting(recipient: str) -> Select[int]:
    return select(QaNotice.id).where(QaNotice.recipient == recipient, QaNotice.sent_at.is_(None))


def _mark(session: Session, ids: Sequence[int], delivery_id: uuid.UUID) -> None:
    session.execute(
        update(QaNotice)
        .where(QaNotice.id.in_(ids))
        .values(delivery_id=delivery_id, sent_at=clock.now())
    )
