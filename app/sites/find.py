"""Find a site: by its key, or the one that is meant."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid, NotFound
from app.models import Site


def find_site(session: Session, key: str) -> Site:
    """Raises NotFound."""
    site = session.scalar(select(Site).where(Site.key == key)) if "\x00" not in key else None
    if site is None:
        raise NotFound(f"There is no site with the key “{key[:80]}”. Check the embed code.")
    return site


def meant_site(session: Session, key: str | None, own_site_id: uuid.UUID | None) -> uuid.UUID:
    """The id of the site a program means: the one it names, else its API key's, else the only
    one. Raises Invalid for `site`.
    """
    if key is not None:
        named = session.scalar(select(Site.id).where(Site.key == key))
        if named is None or own_site_id not in (None, named):
            raise Invalid({"site": [f"There is no site with the key “{key[:80]}”."]})
        return named
    if own_site_id is not None:
        return own_site_id
    two = session.scalars(select(Site.id).limit(2)).all()
    if len(two) != 1:
        problem = "There are several sites" if two else "There is no site yet"
        raise Invalid({"site": [f"{problem}: please say which one by its key."]})
    return two[0]
