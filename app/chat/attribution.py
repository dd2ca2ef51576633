"""Where a visitor came from, read from the addresses the page hands over."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from app.models.attribution import PARAMETERS

LONGEST_VALUE = 500


def attribution(page: Mapping[str, str]) -> dict[str, str | None]:
    """UTM, gclid and fbclid of the first visit, else of this page; None where not given."""
    landing_url = page.get("first_url") or page.get("url")
    query = parse_qs(_query(landing_url or ""))
    values = {key: _clean(query[key][0]) if key in query else None for key in PARAMETERS}
    referrer = page.get("first_referrer") or page.get("referrer")
    return {"landing_url": landing_url or None, "referrer": referrer or None, **values}


def _query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _clean(value: str) -> str:
    return "".join(c for c in value if c.isprintable())[:LONGEST_VALUE]
