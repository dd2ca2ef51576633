"""Find a site by its key."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.models import Site


def find_site(session: Session, key: str) -> Site:
    """Raises NotFound."""
    site = session.scalar(select(Site).where(Site.key == key)) if "\x00" not in key else None
    if site is None:
        raise NotFound(f"There is no site with the key “{key[:80]}”. Check the embed code.")
    return site
