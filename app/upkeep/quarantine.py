"""What keeps killing its worker, for a person to see and to retry."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.queue import ALONE
from app.models import JobDeath
from app.upkeep.job_deaths import MOST_DEATHS_ALONE

_RELEASE = text("""
    UPDATE job_deaths SET quarantined_at = NULL, deaths_alone = 0
     WHERE job_id = :job_id AND quarantined_at IS NOT NULL RETURNING subject
""")
_AGAIN = text("""
    SELECT procrastinate_retry_job_v2(id, now(), NULL, :queue, NULL)
      FROM procrastinate_jobs WHERE id = :job_id AND status = 'failed'
""")


def held(session: Session) -> Sequence[JobDeath]:
    """What is quarantined, and what keeps killing its worker and goes on; the newest first."""
    return session.scalars(
        select(JobDeath)
        .where(
            or_(JobDeath.quarantined_at.is_not(None), JobDeath.deaths_alone >= MOST_DEATHS_ALONE)
        )
        .order_by(JobDeath.last_at.desc())
    ).all()


def retry(session: Session, job_id: int) -> str:
    """Run this quarantined job once more, alone. Gives its subject. Raises NotFound."""
    subject: str | None = session.scalar(_RELEASE, {"job_id": job_id})
    if subject is None:
        raise NotFound("This job isn't quarantined any more.")
    session.execute(_AGAIN, {"job_id": job_id, "queue": ALONE})
    return subject
