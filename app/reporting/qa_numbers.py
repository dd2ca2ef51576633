"""QA in numbers: how much is checked, how often something was wrong, and how soon it was fixed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class SiteNumbers:
    """Of conversations begun in the period in which the assistant answered: all, those that were
    checked, and those of them in which there was an issue, whatever became of it.
    """

    site_key: str
    site_name: str
    total: int
    checked: int
    issues: int


@dataclass(frozen=True, slots=True)
class ReviewerNumbers:
    """What somebody decided in the period; what was undone does not count."""

    name: str
    passed: int
    issues: int
    fixed: int

    @property
    def total(self) -> int:
        return self.passed + self.issues + self.fixed


@dataclass(frozen=True, slots=True)
class QaNumbers:
    """`until_fixed`: from an issue to its fix, for those fixed in the period: the time within which
    half of them were, and 9 of 10; None without any.
    """

    sites: list[SiteNumbers]
    reviewers: list[ReviewerNumbers]
    fixed: int
    until_fixed_median: timedelta | None
    until_fixed_p90: timedelta | None

    @property
    def whole(self) -> SiteNumbers:
        """All sites together."""
        return SiteNumbers(
            "",
            "All sites",
            sum(site.total for site in self.sites),
            sum(site.checked for site in self.sites),
            sum(site.issues for site in self.sites),
        )


# Two counts of the same sessions, so that only those with an issue are joined to their moves; none
# is older than its session.
_SITES = text("""
    WITH begun AS (
        SELECT site_id, count(*) AS total, count(*) FILTER (WHERE qa_status <> 'unchecked')
               AS checked
          FROM chat_sessions
         WHERE started_at >= :start AND started_at < :end
           AND (assistant_engaged OR qa_status <> 'unchecked')
         GROUP BY site_id
    ), wrong AS (
        SELECT s.site_id, count(DISTINCT s.id) AS issues
          FROM qa_moves m JOIN chat_sessions s ON s.id = m.session_id
         WHERE m.to_status = 'issue' AND m.undone_at IS NULL AND m.at >= :start
           AND s.started_at >= :start AND s.started_at < :end
         GROUP BY s.site_id
    )
    SELECT i.key, i.name, b.total, b.checked, coalesce(w.issues, 0) AS issues
      FROM begun b JOIN sites i ON i.id = b.site_id LEFT JOIN wrong w ON w.site_id = b.site_id
     ORDER BY i.name, i.key
""")
_REVIEWERS = text("""
    SELECT coalesce(nullif(u.name, ''), u.email, 'Somebody') AS name,
           count(*) FILTER (WHERE m.to_status = 'passed') AS passed,
           count(*) FILTER (WHERE m.to_status = 'issue') AS issues,
           count(*) FILTER (WHERE m.to_status = 'fixed') AS fixed
      FROM qa_moves m LEFT JOIN users u ON u.id = m.user_id
     WHERE m.at >= :start AND m.at < :end AND m.undone_at IS NULL
     GROUP BY u.id, u.name, u.email ORDER BY count(*) DESC, name
""")
_FIXED = text("""
    SELECT count(*) AS fixed,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY took) AS p90
      FROM (SELECT extract(epoch FROM m.at - i.at) AS took
              FROM qa_moves m CROSS JOIN LATERAL (
                   SELECT at FROM qa_moves i
                    WHERE i.session_id = m.session_id AND i.id < m.id AND i.to_status = 'issue'
                      AND i.undone_at IS NULL
                    ORDER BY i.id DESC LIMIT 1) i
             WHERE m.to_status = 'fixed' AND m.undone_at IS NULL
               AND m.at >= :start AND m.at < :end) t
""")


def numbers(session: Session, start: datetime, end: datetime) -> QaNumbers:
    """For a period; `start` is included, `end` is not. Three queries, whatever the size."""
    period = {"start": start, "end": end}
    sites = [SiteNumbers(*row) for row in session.execute(_SITES, period)]
    reviewers = [ReviewerNumbers(*row) for row in session.execute(_REVIEWERS, period)]
    fixed, median, p90 = session.execute(_FIXED, period).one()
    return QaNumbers(sites, reviewers, fixed, _seconds(median), _seconds(p90))


def _seconds(found: float | None) -> timedelta | None:
    return None if found is None else timedelta(seconds=float(found))
