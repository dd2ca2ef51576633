"""QA: a reviewer says how a session was, and what became of what was wrong with it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.errors import Conflict, Invalid, NotFound
from app.models import ChatSession, Message, User
from app.models.chat_session import QA_STATUSES
from app.models.qa import CATEGORIES, QaMove
from app.review import qa_notices
from app.review.completion import UNKNOWN

logger = logging.getLogger(__name__)

#: Where a session may go from where it is.
MOVES: Mapping[str, tuple[str, ...]] = {
    "unchecked": ("passed", "issue"),
    "passed": ("issue",),
    "issue": ("fixed",),
    "fixed": ("passed", "issue"),
}
LONGEST_NOTE = 4000
#: How a session is, in a sentence.
IS = {
    "unchecked": "not checked yet",
    "passed": "passed",
    "issue": "marked as having an issue",
    "fixed": "marked as fixed",
}
WHY_NOT = {
    "passed": "It has passed already. If something is wrong with it after all, report an issue.",
    "issue": "It has an issue. Once that is fixed, say what was done; then it is checked again.",
    "fixed": "It is marked as fixed. Check it again: it passes, or there is still an issue.",
    "unchecked": "Nobody has checked it yet: it passes, or there is an issue.",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """`note`: what went wrong, what was done, or whatever else a reviewer wants to say.

    `category` and `message_id` belong to an issue: what kind it is, and where it shows.
    """

    to_status: str
    note: str = ""
    category: str | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it. `is_new`: False when it had been sent before, and nothing was done."""

    move: QaMove
    is_new: bool


def move(
    session: Session,
    session_id: uuid.UUID,
    user_id: uuid.UUID,
    decision: Decision,
    *,
    expected_status: str,
) -> Made:
    """Decide, in the caller's transaction; who has to know is told by e-mail.

    `expected_status`: what the reviewer saw when deciding. The same decision sent twice is one.
    Raises NotFound, Conflict for a move that is not allowed or was overtaken by somebody else's,
    and Invalid by `note`, `category` and `message_id`.
    """
    chat = _locked(session, session_id)
    last = last_move(session, session_id)
    if last and last.user_id == user_id and _is_same(last, decision, expected_status):
        return Made(last, is_new=False)
    if chat.qa_status != expected_status:
        raise Conflict(_overtaken(session, chat, last, user_id))
    if decision.to_status not in MOVES[chat.qa_status]:
        raise Conflict(WHY_NOT[chat.qa_status])
    wanted = _checked(session, session_id, decision)
    made = QaMove(
        session_id=session_id,
        at=clock.now(),
        user_id=user_id,
        from_status=chat.qa_status,
        to_status=wanted.to_status,
        note=wanted.note or None,
        category=wanted.category,
        message_id=wanted.message_id,
    )
    session.add(made)
    session.flush()
    _set(session, chat, made.to_status)
    qa_notices.tell(session, made)
    _log("qa moved", made)
    return Made(made, is_new=True)


def undo(session: Session, session_id: uuid.UUID, user_id: uuid.UUID, move_id: int) -> Made:
    """Take one's own last move back, in the caller's transaction; a notice that still waits does
    not go out. To undo the same move twice is to undo it once. Raises NotFound and Conflict.
    """
    chat = _locked(session, session_id)
    wanted = session.get(QaMove, move_id)
    if wanted is None or wanted.session_id != session_id:
        raise Conflict("There is nothing to undo here any more.")
    if wanted.user_id != user_id:
        name = name_of(session, wanted.user_id)
        raise Conflict(f"Only {name} can undo this. If you disagree, make a decision of your own.")
    if wanted.undone_at is not None:
        return Made(wanted, is_new=False)
    last = last_move(session, session_id)
    if last is None or last.id != move_id:
        raise Conflict(_overtaken(session, chat, last, user_id))
    wanted.undone_at = clock.now()
    _set(session, chat, wanted.from_status)
    qa_notices.withdraw(session, wanted)
    _log("qa move undone", wanted)
    return Made(wanted, is_new=True)


def last_move(session: Session, session_id: uuid.UUID) -> QaMove | None:
    """The session's newest move that stands."""
    return session.scalar(
        select(QaMove)
        .where(QaMove.session_id == session_id, QaMove.undone_at.is_(None))
        .order_by(QaMove.id.desc())
        .limit(1)
    )


def name_of(session: Session, user_id: uuid.UUID | None) -> str:
    name = session.scalar(
        select(func.coalesce(func.nullif(User.name, ""), User.email)).where(User.id == user_id)
    )
    return name or "Somebody"


def _locked(session: Session, session_id: uuid.UUID) -> ChatSession:
    chat = session.scalar(
        select(ChatSession)
        .where(ChatSession.id == session_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if chat is None:
        raise NotFound(UNKNOWN)
    return chat


def _is_same(last: QaMove, decision: Decision, expected_status: str) -> bool:
    return (
        last.from_status == expected_status
        and last.to_status == decision.to_status
        and (last.note or "") == decision.note.strip()
        and (last.to_status != "issue" or _points_to(last) == _points_to(decision))
    )


def _points_to(said: QaMove | Decision) -> tuple[str | None, int | None]:
    return said.category, said.message_id


def _overtaken(session: Session, chat: ChatSession, last: QaMove | None, user_id: uuid.UUID) -> str:
    if last is None:
        return f"Meanwhile a decision was taken back: this session is {IS[chat.qa_status]}."
    who = "you have" if last.user_id == user_id else f"{name_of(session, last.user_id)} has"
    return f"Meanwhile {who} decided: this session is {IS[chat.qa_status]}. Please look again."


def _checked(session: Session, session_id: uuid.UUID, decision: Decision) -> Decision:
    """The decision without what does not belong to it. Raises Invalid."""
    note, errors = decision.note.strip(), {}
    if len(note) > LONGEST_NOTE:
        errors["note"] = [f"Please say it in at most {LONGEST_NOTE} characters."]
    if decision.to_status == "fixed" and not note:
        errors["note"] = ["Please say what was done, so that it can be checked."]
    if decision.to_status != "issue":
        if errors:
            raise Invalid(errors)
        return Decision(decision.to_status, note)
    if not note:
        errors["note"] = ["Please say what went wrong, so that it can be fixed."]
    if decision.category not in CATEGORIES:
        errors["category"] = ["Please choose what kind of problem it is."]
    if not _is_of(session, session_id, decision.message_id):
        errors["message_id"] = ["Please choose the message it is about."]
    if errors:
        raise Invalid(errors)
    return Decision("issue", note, decision.category, decision.message_id)


def _is_of(session: Session, session_id: uuid.UUID, message_id: int | None) -> bool:
    """Whether this is a message of the session; where nothing was said, none is right."""
    of_session = select(Message.id).where(Message.session_id == session_id)
    if message_id is None:
        return session.scalar(of_session.limit(1)) is None
    if not 0 < message_id < 2**63:
        return False
    return session.scalar(of_session.where(Message.id == message_id)) is not None


def _set(session: Session, chat: ChatSession, status: str) -> None:
    assert status in QA_STATUSES
    chat.qa_status = status
    session.flush()
    events.announce(session, "sessions", chat.id)


def _log(what: str, made: QaMove) -> None:
    logger.info(
        what,
        extra={
            "session_id": str(made.session_id),
            "to_status": made.to_status,
            "user_id": str(made.user_id),
        },
    )
