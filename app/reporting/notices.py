"""What every page warns of, read by one statement: paused destinations, sites on the fallback."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Row, Text, and_, cast, false, func, literal, select, true
from sqlalchemy.orm import Session

from app.assistants.registry import SCRIPTED, assistant_for
from app.models import AssistantHealth, Delivery, Destination, Site
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import SiteProfile

#: Deliveries that wait for a person are counted up to this; one more stands for more.
MOST_GIVEN_UP = 99
#: Long texts that say nothing about whether an assistant can answer.
_LEFT_OUT = ["business", "instructions", "tone"]


@dataclass(frozen=True, slots=True)
class Fallback:
    """A site whose visitors are answered with our own questions instead of by its assistant.

    `since` and the latest failure's `kind`, with None and `not_set_up` where the assistant never
    could answer. At `tried_again_at` the next answer is asked of it again.
    """

    site_id: uuid.UUID
    key: str
    name: str
    assistant: str
    kind: str
    since: datetime | None = None
    tried_again_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Warnings:
    """`paused`: the keys of destinations that asked us to stop and wait for a person. `given_up`:
    how many deliveries wait for one, up to MOST_GIVEN_UP + 1.
    """

    paused: list[str]
    fallbacks: list[Fallback]
    given_up: int = 0

    @property
    def given_up_words(self) -> str:
        return f"{MOST_GIVEN_UP}+" if self.given_up > MOST_GIVEN_UP else str(self.given_up)

    def fallback_of(self, site_id: uuid.UUID) -> Fallback | None:
        return next((each for each in self.fallbacks if each.site_id == site_id), None)


NONE = Warnings([], [])


def warnings(session: Session) -> Warnings:
    """By one statement: lists have few to spare."""
    rows = session.execute(_STATEMENT).all()
    paused = sorted(row.paused for row in rows if row.paused is not None)
    found = [_fallback(row) for row in rows if row.id is not None]
    return Warnings(
        paused,
        sorted((each for each in found if each), key=lambda each: (each.name, each.key)),
        rows[0].given_up,
    )


def _statement() -> Any:
    paused = (
        select(Destination.key.label("paused"))
        .where(Destination.paused_at.is_not(None))
        .subquery("paused_destinations")
    )
    sites = (
        select(
            Site.id,
            Site.key,
            Site.name,
            Site.assistant,
            Site.assistant_settings.op("-")(cast(_LEFT_OUT, ARRAY(Text))).label("settings"),
            AssistantHealth.failing_since,
            AssistantHealth.last_kind,
            AssistantHealth.resting_until,
        )
        .outerjoin(
            AssistantHealth,
            and_(AssistantHealth.site_id == Site.id, AssistantHealth.assistant == Site.assistant),
        )
        .where(Site.assistant != "scripted")
        .subquery("answered_sites")
    )
    some = (
        select(literal(1))
        .where(Delivery.status.in_(("dead", "unknown")))
        .limit(MOST_GIVEN_UP + 1)
        .subquery("some")
    )
    given_up = select(func.count().label("given_up")).select_from(some).subquery("given_up")
    standing = paused.join(sites, false(), full=True)
    return select(paused, sites, given_up).select_from(given_up.outerjoin(standing, true()))


_STATEMENT = _statement()


def _fallback(row: Row[Any]) -> Fallback | None:
    ai = AssistantSettings.from_json(row.settings)
    profile = SiteProfile(key=row.key, name=row.name, assistant=row.assistant, ai=ai)
    assistant = assistant_for(profile)
    about = (row.id, row.key, row.name, row.assistant)
    if assistant is SCRIPTED or not assistant.is_set_up(profile):
        return Fallback(*about, "not_set_up")
    if row.resting_until is None:
        return None
    return Fallback(*about, row.last_kind, row.failing_since, row.resting_until)
