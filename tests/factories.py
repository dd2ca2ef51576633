"""Rows for tests, with sensible values for whatever a test does not care about."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import clock
from app.models import ChatSession, JobDeath, Lead, Message, Site
from app.sites.demo import DEMO

_number = itertools.count(1)


def make_site(session: Session, **values: Any) -> Site:
    now = clock.now()
    defaults = {**DEMO, "key": f"site-{next(_number)}", "created_at": now, "updated_at": now}
    return _add(session, Site(**{**defaults, **values}))


def make_chat(session: Session, site: Site | None = None, **values: Any) -> ChatSession:
    site = site or make_site(session)
    if values.get("completion_status") == "completed":
        values = {"completed_at": clock.now(), "completion_cause": "live", **values}
    defaults = {
        "id": uuid.uuid4(),
        "site_id": site.id,
        "visitor_id": str(uuid.uuid4()),
        "started_at": clock.now(),
        "last_message_at": clock.now(),
    }
    return _add(session, ChatSession(**{**defaults, **values}))


def make_message(session: Session, chat: ChatSession, **values: Any) -> Message:
    defaults = {"role": "visitor", "text": "Hello", "created_at": clock.now()}
    chat.message_count += 1
    return _add(session, Message(session_id=chat.id, **{**defaults, **values}))


def make_lead(session: Session, chat: ChatSession, **values: Any) -> Lead:
    now = clock.now()
    defaults = {
        "name": "Ann Lee",
        "email": "ann@example.com",
        "phone": "+442079460958",
        "created_at": now,
        "updated_at": now,
    }
    return _add(session, Lead(session_id=chat.id, **{**defaults, **values}))


def make_quarantined(session: Session, task: str = "check_everything", **values: Any) -> int:
    """A job that has killed its worker three times; gives its id."""
    job_id: int = session.execute(
        text(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            " VALUES ('alone', :task, 'failed') RETURNING id"
        ),
        {"task": task},
    ).scalar_one()
    now = clock.now()
    defaults = {
        "subject": f"{task}:{job_id}",
        "job_id": job_id,
        "task_name": task,
        "deaths": 3,
        "deaths_alone": 2,
        "first_at": now,
        "last_at": now,
        "quarantined_at": now,
    }
    _add(session, JobDeath(**{**defaults, **values}))
    return job_id


def _add(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row
