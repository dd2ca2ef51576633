"""Sites as plain values, remembered by this process until their row changes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.completion.detection import ChangedRule, Rule, compile_phrases
from app.core.db import transaction
from app.models import Site
from app.models.site_profile import SiteProfile

# The saved change that is still being carried out (`backtest_save`).
_CHANGE = text("""
    SELECT parameters -> 'change' FROM runs
     WHERE site_id = :site_id AND kind = 'apply_rules' AND status <> 'done'
""")


@dataclass(frozen=True, slots=True)
class KnownSite:
    """`updated_at` says which version of the row this is. While a change of the phrases is being
    carried out, `rule` judges by the rule before it what was said before it.
    """

    id: uuid.UUID
    updated_at: datetime
    profile: SiteProfile
    rule: Rule | ChangedRule


_known: dict[uuid.UUID, KnownSite] = {}


def last_known(site_id: uuid.UUID) -> KnownSite | None:
    """The site as this process read it last; it may have changed since."""
    return _known.get(site_id)


def known_site(
    site_id: uuid.UUID, updated_at: datetime, session: Session | None = None
) -> KnownSite:
    """The site as of `updated_at`, read from the database only when it has changed.

    Inside a transaction hand over its session: without one this may open a transaction.
    """
    known = _known.get(site_id)
    if known is None or known.updated_at != updated_at:
        if session is None:
            with transaction() as own:
                known = _read(own, site_id)
        else:
            known = _read(session, site_id)
        _known[site_id] = known
    return known


def _read(session: Session, site_id: uuid.UUID) -> KnownSite:
    site = session.get_one(Site, site_id, populate_existing=True)
    profile = site.profile()
    rule = compile_phrases(profile.phrases, profile.exclusions)
    change = session.scalar(_CHANGE, {"site_id": site_id})
    if change is None:
        return KnownSite(site_id, site.updated_at, profile, rule)
    before = compile_phrases(tuple(change["phrases"]), tuple(change["exclusions"]))
    return KnownSite(
        site_id, site.updated_at, profile, ChangedRule(rule, before, change["through"])
    )
