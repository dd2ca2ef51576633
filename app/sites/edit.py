"""Make a site, and change what it is set to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.core import clock, events
from app.core.db import table_of
from app.core.errors import Conflict, Invalid, by_field
from app.models import Site
from app.models.site_profile import SiteProfile
from app.sites.assistant import OF_ASSISTANT, changed_settings
from app.sites.demo import DEMO
from app.sites.find import find_site
from app.sites.schema import SiteSchema


def create_site(session: Session, key: str) -> Site:
    """A new site that asks for name, service, e-mail and phone. Raises Invalid and Conflict."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", key):
        raise Invalid({"key": ["Use small letters, digits and -, like my-site."]})
    now = clock.now()
    own = {"name": key, "greeting": "Hello! How can we help you?", "launcher_label": "Chat with us"}
    site = Site(key=key, created_at=now, updated_at=now, **{**DEMO, **own})
    try:
        with session.begin_nested():
            session.add(site)
    except IntegrityError as error:
        raise Conflict(f"There is already a site with the key {key}.") from error
    return site


def change_site(session: Session, key: str, values: Mapping[str, Any]) -> Site:
    """Set some of a site's settings. Raises NotFound, and Invalid by field."""
    site = find_site(session, key)
    _set(site, _checked(values))
    site.updated_at = clock.now()
    session.flush()
    events.announce(session, "sites", site.id)
    return site


def proposed(site: Site, values: Mapping[str, Any]) -> SiteProfile:
    """The site as it would be with these settings; nothing is changed. Raises Invalid by field."""
    copy = Site(**{column.key: getattr(site, column.key) for column in table_of(Site).columns})
    _set(copy, _checked(values))
    return copy.profile()


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = SiteSchema().load(values)
    except ValidationError as error:
        raise Invalid(by_field(error.messages)) from error
    return loaded


def _set(site: Site, loaded: Mapping[str, Any]) -> None:
    own = {name: value for name, value in loaded.items() if name not in OF_ASSISTANT}
    of_assistant = {name: value for name, value in loaded.items() if name in OF_ASSISTANT}
    # Before anything else is set: what is refused must leave the site as it was.
    settings = changed_settings(site.assistant_settings, of_assistant) if of_assistant else None
    for name, value in own.items():
        setattr(site, name, value)
    if settings is not None:
        site.assistant_settings = settings
