"""A site: one landing page with its own widget."""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base
from app.models.assistant_settings import AssistantSettings
from app.models.site_profile import Consent, SiteProfile, field_from_json
from app.models.types import JsonList, JsonObject, Moment, UuidKey, Words, one_of

POSITIONS = ("right", "left")


class Site(Base):
    """`allowed_origins`: empty means every origin. `colour`: `#rrggbb`.

    `fields`: list of {key, question, type, required, choices:[{value,label}]}; `consent`:
    {mode: none|line|question, text, version}; `phrases`: plain texts that complete a session;
    `exclusions`: plain texts that take that power from the sentence they stand in.
    `memory_table`: N8n's chat memory of this site. `partial_after_minutes`: idle time after
    which an unfinished lead is sent; 0: never. `assistant_settings`: of the AssistantSettings what
    differs from the defaults.
    """

    __tablename__ = "sites"
    __table_args__ = (
        CheckConstraint("key ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name="key_form"),
        CheckConstraint(one_of("position", POSITIONS), name="position"),
        CheckConstraint("colour ~ '^#[0-9a-f]{6}$'", name="colour_form"),
        CheckConstraint("region ~ '^[A-Z]{2}$'", name="region_form"),
        CheckConstraint("partial_after_minutes BETWEEN 0 AND 43200", name="partial_after"),
    )

    id: Mapped[UuidKey]
    key: Mapped[Words] = mapped_column(unique=True)
    name: Mapped[Words]
    assistant: Mapped[Words] = mapped_column(default="scripted")
    language: Mapped[Words] = mapped_column(default="en")
    region: Mapped[Words] = mapped_column(default="GB")
    timezone: Mapped[Words] = mapped_column(default="UTC")
    greeting: Mapped[Words] = mapped_column(default="")
    colour: Mapped[Words] = mapped_column(default="#2f5bea")
    position: Mapped[Words] = mapped_column(default="right")
    launcher_label: Mapped[Words] = mapped_column(default="Chat with us")
    allowed_origins: Mapped[JsonList]
    fields: Mapped[JsonList]
    consent: Mapped[JsonObject]
    phrases: Mapped[JsonList]
    exclusions: Mapped[JsonList]
    memory_table: Mapped[Words] = mapped_column(default="", server_default="")
    partial_after_minutes: Mapped[int] = mapped_column(default=30, server_default="30")
    confirmation: Mapped[Words] = mapped_column(default="")
    flow: Mapped[JsonObject]
    assistant_settings: Mapped[JsonObject]
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]

    def profile(self) -> SiteProfile:
        """The plain value that assistants and rules are given."""
        settings = AssistantSettings.from_json(self.assistant_settings)
        return SiteProfile(
            key=self.key,
            name=self.name,
            assistant=self.assistant,
            language=self.language,
            region=self.region,
            timezone=self.timezone,
            greeting=self.greeting,
            fields=tuple(field_from_json(item) for item in self.fields),
            consent=Consent(**self.consent),
            phrases=tuple(self.phrases),
            exclusions=tuple(self.exclusions),
            confirmation=self.confirmation,
            flow=dict(self.flow),
            ai=settings,
            link_hosts=(*settings.link_hosts, *_hosts(self.allowed_origins)),
        )


def _hosts(origins: list[str]) -> list[str]:
    return [host for origin in origins if (host := urlsplit(origin).hostname)]
