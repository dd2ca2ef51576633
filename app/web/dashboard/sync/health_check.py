"""What the last check found, in a receptionist's words; asked for by templates."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g

from app.core.db import db
from app.models import Run
from app.upkeep import doctor, doctor_job
from app.upkeep.doctor import Result


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check and how it went. `found`: how many rows break it and how; empty when none does."""

    holds: str
    found: str
    result: Result


def latest() -> Run | None:
    """The newest report, read once a request."""
    if "latest_check" not in g:
        g.latest_check = doctor.latest(db.session())
    report: Run | None = g.latest_check
    return report


def rows() -> list[CheckRow]:
    """Every check as the newest report has it."""
    results = {result.check: result for result in doctor.findings(latest())}
    return [
        CheckRow(
            check.holds,
            doctor.in_words(check, results[check.key].count) if check.key in results else "",
            results.get(check.key, Result(check.key)),
        )
        for check in doctor.CHECKS
    ]


def troubles() -> list[CheckRow]:
    """What is still wrong, as far as the newest report knows."""
    if not doctor.unrepaired(latest()):
        return []
    return [row for row in rows() if not row.result.is_well]


def is_running() -> bool:
    return doctor_job.is_waiting(db.session())
