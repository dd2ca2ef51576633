"""Sites as plain values, remembered by this process until their row changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from app.completion.detection import Rule, compile_phrases
from app.core.db import transaction
from app.models import Site
from app.models.site_profile import SiteProfile


@dataclass(frozen=True, slots=True)
class KnownSite:
    """`updated_at` says which version of the row this is."""

    updated_at: datetime
    profile: SiteProfile
    rule: Rule


_known: dict[uuid.UUID, KnownSite] = {}


def known_site(site_id: uuid.UUID, updated_at: datetime) -> KnownSite:
    """The site as of `updated_at`, read from the database only when it has changed.

    Not for use inside a transaction: it may open one.
    """
    known = _known.get(site_id)
    if known is None or known.updated_at != updated_at:
        with transaction() as session:
            profile = session.get_one(Site, site_id, populate_existing=True).profile()
        known = KnownSite(updated_at, profile, compile_phrases(profile.phrases))
        _known[site_id] = known
    return known
