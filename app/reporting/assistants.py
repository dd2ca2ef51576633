"""How the assistant of a site has done of late, and what it has used of what it may."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AssistantDay, Site

DAYS = 7


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of some days. `failed`: kind → how often; milliseconds are means over the `answered`.

    `asked` are visitors' answers alone; `turns`, `tokens` and `cost` (US dollars) hold those tried
    out on the site's page, too.
    """

    turns: int
    answered: int
    failed: dict[str, int]
    first_word_ms: int | None
    whole_ms: int | None
    tokens: int
    cost: float

    @property
    def asked(self) -> int:
        return self.answered + sum(self.failed.values())

    @property
    def percent_answered(self) -> int | None:
        return _percent(self.answered, self.asked)


@dataclass(frozen=True, slots=True)
class Lately:
    """`week`: the last seven days, today among them."""

    today: Numbers
    week: Numbers


def lately(session: Session, site: Site, today: date) -> Lately:
    """Of the assistant the site has now; `today` at the site."""
    days = session.scalars(
        select(AssistantDay).where(
            AssistantDay.site_id == site.id,
            AssistantDay.assistant == site.assistant,
            AssistantDay.day > today - timedelta(days=DAYS),
            AssistantDay.day <= today,
        )
    ).all()
    return Lately(_sum([day for day in days if day.day == today]), _sum(days))


def _sum(days: Sequence[AssistantDay]) -> Numbers:
    answered = sum(day.answered for day in days)
    failed: Counter[str] = Counter()
    for day in days:
        failed.update(day.failed)
    return Numbers(
        turns=sum(day.turns for day in days),
        answered=answered,
        failed=dict(failed.most_common()),
        first_word_ms=_mean(sum(day.first_word_ms for day in days), answered),
        whole_ms=_mean(sum(day.whole_ms for day in days), answered),
        tokens=sum(day.tokens for day in days),
        cost=sum(day.cost_micros for day in days) / 1e6,
    )


def _mean(total: int, count: int) -> int | None:
    return round(total / count) if count else None


def _percent(part: int, whole: int) -> int | None:
    """Rounded down: 999 of 1000 are not all."""
    return 100 * part // whole if whole else None
