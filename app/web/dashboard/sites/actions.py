"""What admins do on a site's page: try a message, save settings, start a back-test."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.completion import backtest
from app.core.db import db, transaction
from app.core.errors import Invalid
from app.models import Site
from app.sites.edit import change_site
from app.sites.find import find_site
from app.sites.rules import read_rules
from app.web.audit import note
from app.web.dashboard.sites.show import editor, stored_values
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity

SETTINGS = ("partial_after_minutes", "memory_table")
LONGEST_MESSAGE = 4000


@blueprint.post("/sites/<key>/trials")
@requires("sites:write")
def try_a_message(key: str) -> ResponseReturnValue:
    return editor(find_site(db.session(), key), _typed())


@blueprint.post("/sites/<key>/settings")
@requires("sites:write")
def site_settings(key: str) -> ResponseReturnValue:
    """Saves the settings; phrases that are being changed meanwhile stay on the page."""
    typed = _typed()
    try:
        with transaction() as session:
            found = change_site(session, key, {name: typed[name].strip() for name in SETTINGS})
            note(session, "site.changed", "site", key)
    except Invalid as error:
        return editor(find_site(db.session(), key), typed, error), 422
    stored = stored_values(found)
    if any(typed[name].split() != stored[name].split() for name in ("phrases", "exclusions")):
        return editor(found, typed, done="The settings are saved. The phrases are not, yet.")
    flash("The settings are saved.")
    return redirect(url_for("dashboard.site", key=key))


@blueprint.post("/sites/<key>/backtests")
@requires("sites:write")
def test_rules(key: str) -> ResponseReturnValue:
    """Starts a test. Settings changed beside the phrases are saved, so as not to be lost."""
    typed, identity = _typed(), current_identity()
    found = find_site(db.session(), key)
    try:
        phrases, exclusions = read_rules(typed["phrases"], typed["exclusions"])
        if changed := _changed_settings(found, typed):
            with transaction() as session:
                change_site(session, key, changed)
                note(session, "site.changed", "site", key)
            flash("The settings you changed are saved, too.")
    except Invalid as error:
        return editor(found, typed, error), 422
    with transaction() as session:
        made = backtest.start(
            session, found.id, phrases, exclusions, identity.user_id if identity else None
        )
    return redirect(url_for("dashboard.site_backtest", key=key, backtest_id=made.id))


def _typed() -> dict[str, str]:
    names = ("phrases", "exclusions", "message", *SETTINGS)
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in names}
    return {**typed, "message": typed["message"][:LONGEST_MESSAGE]}


def _changed_settings(found: Site, typed: dict[str, str]) -> dict[str, str]:
    stored = stored_values(found)
    return {name: typed[name].strip() for name in SETTINGS if typed[name].strip() != stored[name]}
