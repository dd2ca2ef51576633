"""What stands above each review page: tabs with their counts, filters, the last decision."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from flask import request

from app.core.db import db
from app.reporting import qa_queue, sessions
from app.reporting.qa import review_panel
from app.web.lists.filters import FilterChoice
from app.web.lists.reviews import REVIEWS
from app.web.qa.queue_position import TABS, QueuePosition


def frame_of(position: QueuePosition) -> dict[str, Any]:
    """What stands above each of these pages: the tabs, the filters, what was decided last. Of a
    session outside the queue, `position.tab` may be none of the tabs.
    """
    return {
        "position": position,
        "tabs": TABS,
        "left": {
            tab: qa_queue.counted(db.session(), replace(position, tab=tab).queue) for tab in TABS
        },
        "most_counted": qa_queue.MOST_COUNTED,
        "choices": [
            FilterChoice(field, field.current_options() or {}, position.query.get(field.name))
            for field in REVIEWS.fields
        ],
        "was": _was(),
    }


def _was() -> Any:
    session_id = session_id_arg("was")
    if session_id is None:
        return None
    found = sessions.by_ids(db.session(), [session_id])
    return (found[0], review_panel(db.session(), found[0].session)) if found else None


def session_id_arg(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(request.args.get(name, ""))
    except ValueError:
        return None
