"""Addresses of our own pages: the query of this one, and where a form leads back to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request, url_for

#: Endpoints that give or change part of a page, and the endpoint of that page. Each noun adds its
#: own; `<page>_live` needs no entry.
PAGE_OF: dict[str, str] = {}


def query_args() -> dict[str, str]:
    """The query of this address for `url_for`, without the names `url_for` reserves."""
    return {
        name: value
        for name, value in request.args.items()
        if name != "endpoint" and not name.startswith("_")
    }


def back_path() -> str:
    """The page a form returns to: this one, or the one this is a part of."""
    kept = {name: value for name, value in query_args().items() if name != "ids"}
    endpoint = str(request.endpoint)
    page = PAGE_OF.get(endpoint) or endpoint.removesuffix("_live")
    return url_for(page, **{**kept, **(request.view_args or {})})


def local_path(target: str | None) -> str:
    """Where to go next: only ever a path of our own, by default the overview."""
    overview = url_for("dashboard.overview")
    if not target or not target.startswith("/") or not target.isprintable():
        return overview
    # "//host" and "/\host" are other people's addresses to a browser.
    if target.startswith(("//", "/\\")) or urlsplit(target).netloc:
        return overview
    return target
