"""What a process was working on when it died, so that it is tried again apart from everything else.

Why and how: docs/decisions/0017-a-poison-job-harms-only-itself.md.
"""

from __future__ import annotations

import uuid

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.types import BigNumber, Moment, Words


class JobDeath(Base):
    """A job during which a worker died. The row goes when the job has run to its end, alone.

    `subject`: what is counted: the one job, every run of a periodic task, or everything sent to one
    destination (`upkeep.job_deaths`). `job_id`: the latest job of it, in Procrastinate's table.
    `deaths_alone`: of the deaths, those while nothing else ran in the process. `stopped_job_id`: a
    job that a worker was running when it was told to stop, whose death proves nothing.
    `quarantined_at`: it is not tried again until a person asks for it.
    """

    __tablename__ = "job_deaths"
    __table_args__ = (
        CheckConstraint("deaths >= deaths_alone AND deaths_alone >= 0", name="deaths"),
    )

    subject: Mapped[Words] = mapped_column(primary_key=True)
    job_id: Mapped[BigNumber]
    task_name: Mapped[Words]
    deaths: Mapped[int] = mapped_column(default=0, server_default="0")
    deaths_alone: Mapped[int] = mapped_column(default=0, server_default="0")
    first_at: Mapped[Moment]
    last_at: Mapped[Moment]
    stopped_job_id: Mapped[BigNumber | None]
    quarantined_at: Mapped[Moment | None]


class EvaluationClaim(Base):
    """A session whose messages a process is evaluating for completion. An old one is of a process
    that died over it.

    No foreign key: to claim a session must not wait for whoever holds its row.
    """

    __tablename__ = "evaluation_claims"

    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    claimed_at: Mapped[Moment]


class MemoryRead(Base):
    """Rows of an n8n memory table that a process is importing: `row_id`, or 0 for a whole batch.

    Left behind by one that died over them; `tries`: how often they were begun.
    """

    __tablename__ = "memory_reads"

    source_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row_id: Mapped[BigNumber] = mapped_column(primary_key=True, autoincrement=False)
    tries: Mapped[int] = mapped_column(default=1, server_default="1")
    started_at: Mapped[Moment]
