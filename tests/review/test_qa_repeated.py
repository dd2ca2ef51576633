"""A decision sent again is one; one that says something else is another."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.models import Message
from app.review import qa
from app.review.qa import Decision
from tests.review.test_qa import decide, message_of, talk
from tests.web.signed_in import make_user


def test_another_category_or_message_is_no_repetition(session: Session) -> None:
    ann, chat = make_user().id, talk(session)
    made = decide(session, chat, ann, "issue", expected="unchecked")
    again = decide(session, chat, ann, "issue", expected="unchecked", note=f" {made.note} ")
    assert again.id == made.id
    other = session.query(Message).filter(Message.id != message_of(session, chat)).first()
    assert other
    for changed in ({"category": "tone"}, {"message_id": other.id}):
        with pytest.raises(Conflict, match="you have decided"):
            decide(session, chat, ann, "issue", expected="unchecked", **changed)
    assert (made.category, made.message_id) == ("wrong_answer", message_of(session, chat))


def test_what_does_not_belong_to_a_decision_makes_it_no_other_one(session: Session) -> None:
    """The form of a session's page sends every field, whatever is decided."""
    ann, chat = make_user().id, talk(session)
    for category in ("tone", None):
        made = qa.move(
            session,
            chat.id,
            ann,
            Decision("passed", category=category),
            expected_status="unchecked",
        )
    assert not made.is_new
