"""`/sites`: the list, and one site's phrases with a box to try a message."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.completion import backtest
from app.core.db import db, transaction
from app.core.errors import Invalid
from app.models import Backtest, Site
from app.reporting import sites as reporting
from app.sites.edit import change_site
from app.sites.find import find_site
from app.sites.rules import read_rules, try_message
from app.web.audit import note
from app.web.dashboard.sites import assistant_labels
from app.web.frame.blueprint import add_labels, blueprint
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.params import ids

SETTINGS = ("partial_after_minutes", "memory_table")
LONGEST_MESSAGE = 4000
add_labels(assistant_labels=assistant_labels)


@blueprint.get("/sites", endpoint="sites")
@requires("sites:write")
def index() -> ResponseReturnValue:
    return render_template("dashboard/sites/index.html", sites=reporting.list_all(db.session()))


@blueprint.get("/sites/<key>")
@requires("sites:write")
def site(key: str) -> ResponseReturnValue:
    """`?backtest=` brings back the phrases of a test, to be changed further."""
    found = find_site(db.session(), key)
    values = _stored(found)
    for backtest_id in ids("backtest")[:1]:
        tested = reporting.one_backtest(db.session(), found.id, backtest_id)
        values |= _lines(tested)
    return _editor(found, values)


@blueprint.post("/sites/<key>/trials")
@requires("sites:write")
def try_a_message(key: str) -> ResponseReturnValue:
    return _editor(find_site(db.session(), key), _typed())


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
        return _editor(find_site(db.session(), key), typed, error), 422
    stored = _stored(found)
    if any(typed[name].split() != stored[name].split() for name in ("phrases", "exclusions")):
        return _editor(found, typed, done="The settings are saved. The phrases are not, yet.")
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
        return _editor(found, typed, error), 422
    with transaction() as session:
        made = backtest.start(
            session, found.id, phrases, exclusions, identity.user_id if identity else None
        )
    return redirect(url_for("dashboard.site_backtest", key=key, backtest_id=made.id))


def _editor(
    found: Site, values: dict[str, str], error: Invalid | None = None, done: str | None = None
) -> str:
    trial = None
    if values["message"].strip():
        trial = try_message(values["phrases"], values["exclusions"], values["message"])
    return render_template(
        "dashboard/sites/show.html",
        site=found,
        values=values,
        errors=error.errors if error else {},
        trial=trial,
        done=done,
        unfinished=reporting.unfinished_backtest(db.session(), found.id),
    )


def _typed() -> dict[str, str]:
    names = ("phrases", "exclusions", "message", *SETTINGS)
    typed = {name: request.form.get(name, "").replace("\r\n", "\n") for name in names}
    return {**typed, "message": typed["message"][:LONGEST_MESSAGE]}


def _stored(found: Site) -> dict[str, str]:
    return {
        **_lines(found),
        "message": "",
        "partial_after_minutes": str(found.partial_after_minutes),
        "memory_table": found.memory_table,
    }


def _changed_settings(found: Site, typed: dict[str, str]) -> dict[str, str]:
    stored = _stored(found)
    return {name: typed[name].strip() for name in SETTINGS if typed[name].strip() != stored[name]}


def _lines(rules: Site | Backtest) -> dict[str, str]:
    return {"phrases": "\n".join(rules.phrases), "exclusions": "\n".join(rules.exclusions)}
