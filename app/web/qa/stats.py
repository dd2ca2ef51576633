"""`/qa/numbers`: how much is checked, how often something is wrong, how long it takes to fix."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from flask import render_template
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.db import db
from app.reporting import qa_numbers
from app.web.frame.labels import zone
from app.web.guards import requires
from app.web.lists.periods import Period, read_period
from app.web.qa.blueprint import blueprint
from app.web.qa.queue_frame import frame_of
from app.web.qa.queue_position import QueuePosition

DEFAULT_DAYS = 30


@blueprint.get("/qa/numbers")
@requires("sessions:read")
def numbers() -> ResponseReturnValue:
    period = read_period()
    start, end = _range(period)
    found = qa_numbers.numbers(db.session(), start, end)
    return render_template(
        "qa/stats.html",
        period=period,
        numbers=found,
        is_numbers=True,
        **frame_of(QueuePosition()),
    )


def _range(period: Period) -> tuple[datetime, datetime]:
    """The period asked for; without one the last 30 days, an open end reaches until now."""
    now = clock.now()
    if period.name is None:
        today = now.astimezone(zone()).date()
        first = datetime.combine(today - timedelta(days=DEFAULT_DAYS - 1), time.min, zone())
        return first, now + timedelta(days=1)
    return period.start or datetime(1970, 1, 1, tzinfo=UTC), period.end or now + timedelta(days=1)
