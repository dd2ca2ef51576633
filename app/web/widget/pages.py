"""What a browser loads to show the chat: the loader, the chat page and, in development, a demo."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from app.core.db import db
from app.core.errors import NotFound
from app.core.hostnames import ascii_origin, readable_host
from app.models import Site
from app.sites.demo import DEMO_KEY
from app.sites.find import find_site
from app.web.guards import public
from app.web.widget.assets import asset_url, send_asset
from app.web.widget.blueprint import blueprint

LOADER_MAX_AGE_SECONDS = 300
LOOK_MAX_AGE_SECONDS = 60
#: How much longer a page waits than an assistant may take: another process may have to begin anew.
PATIENCE_BEYOND_SECONDS = 45
FOR_EVER_SECONDS = 365 * 24 * 3600

blueprint.app_template_global("asset_url")(asset_url)


@blueprint.get("/embed.js")
@public
def loader() -> ResponseReturnValue:
    return send_asset("embed.js", LOADER_MAX_AGE_SECONDS)


@blueprint.get("/embed/<name>")
@public
def asset(name: str) -> ResponseReturnValue:
    return send_asset(name, FOR_EVER_SECONDS)


@blueprint.get("/widget/<site_key>/look")
@public
def look(site_key: str) -> ResponseReturnValue:
    """What the loader needs to draw its button, on whatever page it stands."""
    site = find_site(db.session(), site_key)
    response = make_response(
        {
            "name": site.name,
            "colour": site.colour,
            "position": site.position,
            "language": site.language,
            "label": site.launcher_label,
        }
    )
    response.cache_control.public = True
    response.cache_control.max_age = LOOK_MAX_AGE_SECONDS
    return response


@blueprint.get("/widget/<site_key>")
@public
def chat(site_key: str) -> ResponseReturnValue:
    try:
        site = find_site(db.session(), site_key)
    except NotFound:
        return _framed(make_response(render_template("widget/unknown.html"), 404), "*")
    profile = site.profile()
    consent = profile.consent
    page = render_template(
        "widget/chat.html",
        site=site,
        consent_line=consent.text if consent.mode == "line" else "",
        link_hosts=_either_form(profile.link_hosts),
        patience_seconds=profile.ai.answer_seconds + PATIENCE_BEYOND_SECONDS,
    )
    return _framed(make_response(page), _ancestors(site))


@blueprint.get("/demo")
@public
def demo() -> ResponseReturnValue:
    if current_app.extensions["settings"].is_production:
        raise NotFound("There is nothing at this address.")
    return render_template("widget/demo/index.html", site_key=DEMO_KEY)


def _either_form(hosts: Sequence[str]) -> list[str]:
    """Each host as it travels and as people write it: an answer may hold either."""
    return list(dict.fromkeys(form for host in hosts for form in (host, readable_host(host))))


def _ancestors(site: Site) -> str:
    """Sources for a header, which can hold ASCII only, whatever an older version has stored."""
    if not site.allowed_origins:
        return "*"
    sources = [source for each in site.allowed_origins if (source := ascii_origin(each))]
    return " ".join(sources) or "'none'"


def _framed(response: Response, ancestors: str) -> Response:
    """Only these origins may frame the page, and it runs nothing but our own files."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        f"img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.cache_control.no_cache = True
    return response
