"""What the audit log can be filtered by."""

from __future__ import annotations

import uuid

from app.core.db import db
from app.reporting import audit
from app.reporting.audit import COMMAND_LINE, AuditFilter
from app.web.frame import labels
from app.web.lists.fields import FilteredList, FilterField, Options

#: What the log can be narrowed to, with the types of objects it then shows.
OBJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "sessions": ("Sessions and leads", ("session",)),
    "deliveries": ("Deliveries", ("delivery", "destination")),
    "users": ("Users and signing in", ("user",)),
    "sites": ("Sites", ("site",)),
    "keys": ("Keys", ("key",)),
    "views": ("Saved views", ("view",)),
    "incidents": ("Incidents", ("incident",)),
    "upkeep": ("Sync and checks", ("sync", "check", "job")),
}


def _actors() -> Options:
    return {**audit.people(db.session()), COMMAND_LINE: labels.COMMAND_LINE}


def _actor(value: str | None) -> uuid.UUID | str | None:
    return value if value in (None, COMMAND_LINE) else uuid.UUID(value)


AUDIT = FilteredList(
    "dashboard.audit",
    AuditFilter,
    (
        FilterField("by", "By", "Everybody", _actors, to_value=_actor),
        FilterField(
            "about",
            "About",
            "Everything",
            {name: label for name, (label, _) in OBJECTS.items()},
            argument="object_types",
            to_value=lambda value: OBJECTS[value][1] if value else (),
        ),
    ),
    period=("at_from", "at_to"),
    period_label="Done",
)
