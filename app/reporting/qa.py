"""QA as reviewers see it: one session's panel, and the sessions that wait for them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import ChatSession, Message, QaMove, User
from app.review.qa import MOVES

#: Which of a session's messages an issue can be about, the newest ones of them.
MOST_CHOICES = 300
CHOICE_LENGTH = 90


@dataclass(frozen=True, slots=True)
class QaEntry:
    """A move, and who made it."""

    move: QaMove
    user_name: str | None


@dataclass(frozen=True, slots=True)
class MessageChoice:
    """A message an issue may be about; `text` is its beginning, on one line."""

    id: int
    role: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class QaPanel:
    """How a session stands. `history`: oldest first, with what was undone. `moves`: where it may
    go. `messages`: what an issue can be about, oldest first; none where no issue can be reported.
    """

    session_id: uuid.UUID
    status: str
    history: list[QaEntry]
    moves: tuple[str, ...]
    messages: list[MessageChoice]

    @property
    def last(self) -> QaEntry | None:
        """The newest move that stands."""
        return next((e for e in reversed(self.history) if e.move.undone_at is None), None)

    def undoable(self, user_id: uuid.UUID | None) -> QaMove | None:
        """The move that this person may take back: the last one, if it is theirs."""
        last = self.last
        return last.move if last and user_id and last.move.user_id == user_id else None


def review_panel(session: Session, chat: ChatSession) -> QaPanel:
    """Everything the QA panel of this session shows, by two queries."""
    history = select(QaMove, func.coalesce(func.nullif(User.name, ""), User.email))
    history = history.outerjoin(User, User.id == QaMove.user_id)
    found = session.execute(history.where(QaMove.session_id == chat.id).order_by(QaMove.id))
    moves = MOVES[chat.qa_status]
    return QaPanel(
        session_id=chat.id,
        status=chat.qa_status,
        history=[QaEntry(move, name) for move, name in found],
        moves=moves,
        messages=_choices(session, chat.id) if "issue" in moves else [],
    )


def _choices(session: Session, session_id: uuid.UUID) -> list[MessageChoice]:
    rows = session.execute(
        select(
            Message.id,
            Message.role,
            func.left(Message.text, CHOICE_LENGTH + 1).label("text"),
            Message.created_at,
        )
        .where(Message.session_id == session_id)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MOST_CHOICES)
    )
    return [MessageChoice(r.id, r.role, _one_line(r.text), r.created_at) for r in rows][::-1]


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CHOICE_LENGTH else f"{line[:CHOICE_LENGTH].rstrip()}…"
