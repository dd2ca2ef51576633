"""`/sites/<key>/backtests/<id>`: what other phrases would have meant, and saving them."""

from __future__ import annotations

import uuid

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.completion import backtest, backtest_save
from app.completion.detection import compile_phrases
from app.core.db import db, transaction
from app.core.errors import Conflict
from app.models import BacktestFinding, Run
from app.models.backtest_finding import FINDING_KINDS
from app.models.run import APPLY_RULES
from app.reporting import sites as reporting
from app.reporting.pages import number
from app.runs import engine
from app.sites.find import find_site
from app.sites.rules import Piece, in_pieces
from app.web.audit import note
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity


@blueprint.get("/sites/<key>/backtests/<uuid:backtest_id>")
@requires("sites:write")
def site_backtest(key: str, backtest_id: uuid.UUID) -> ResponseReturnValue:
    return _render("dashboard/sites/backtest.html", key, backtest_id)


@blueprint.get("/sites/<key>/backtests/<uuid:backtest_id>/live")
@requires("sites:write")
def site_backtest_live(key: str, backtest_id: uuid.UUID) -> ResponseReturnValue:
    return _render("dashboard/sites/_backtest.html", key, backtest_id)


@blueprint.post("/sites/<key>/backtests/<uuid:backtest_id>/adoption")
@requires("sites:write")
def adopt_rules(key: str, backtest_id: uuid.UUID) -> ResponseReturnValue:
    complete_past = request.form.get("past") == "complete"
    identity = current_identity()
    found = find_site(db.session(), key)
    reporting.one_backtest(db.session(), found.id, backtest_id)
    try:
        with transaction() as session:
            user_id = identity.user_id if identity else None
            backtest_save.save(session, backtest_id, user_id, complete_past=complete_past)
            note(session, "site.rules_changed", "site", key)
    except Conflict as error:
        return _render("dashboard/sites/backtest.html", key, backtest_id, problem=error.detail), 409
    flash("Saved. The new phrases are in use.")
    return redirect(url_for("dashboard.site_backtest", key=key, backtest_id=backtest_id))


@blueprint.post("/sites/<key>/backtests/<uuid:backtest_id>/continuation")
@requires("sites:write")
def continue_backtest(key: str, backtest_id: uuid.UUID) -> ResponseReturnValue:
    found = find_site(db.session(), key)
    try:
        with transaction() as session:
            row = reporting.one_backtest(session, found.id, backtest_id)
            backtest.go_on(session, row)
    except Conflict as error:
        flash(error.detail)
    return redirect(url_for("dashboard.site_backtest", key=key, backtest_id=backtest_id))


def _render(template: str, key: str, backtest_id: uuid.UUID, problem: str | None = None) -> str:
    session = db.session()
    site = find_site(session, key)
    row = reporting.one_backtest(session, site.id, backtest_id)
    return render_template(
        template,
        site=site,
        backtest=row,
        problem=problem,
        is_saved=row.kind == APPLY_RULES,
        is_silent=not engine.is_alive(row),
        completes_past=row.parameters.get("change", {}).get("complete_past"),
        most_kept=backtest.MOST_KEPT,
        lists={
            kind: reporting.findings(session, row.id, kind, _after(kind)) for kind in FINDING_KINDS
        },
        shown=_Sentences(row),
    )


def _after(kind: str) -> int | None:
    try:
        return number(request.args[kind])
    except (KeyError, ValueError):
        return None


class _Sentences:
    """How a finding's sentence is shown: with what decided marked, and why in words."""

    def __init__(self, tested: Run) -> None:
        self._rule = backtest.tested_rule(tested)

    def pieces(self, finding: BacktestFinding) -> list[Piece]:
        places = list(self._rule.places(finding.sentence))
        if finding.kind == "no_longer":
            places = places or list(compile_phrases((finding.phrase,)).places(finding.sentence))
        counting = next((place for place in places if not place.exclusion), None)
        return in_pieces(finding.sentence, counting or next(iter(places), None))

    def reason(self, finding: BacktestFinding) -> str:
        if finding.kind == "newly":
            return f"Phrase “{finding.phrase}”"
        places = list(self._rule.places(finding.sentence))
        if not finding.sentence or not all(place.exclusion for place in places):
            return f"Completed by “{finding.phrase}”, which does not count there"
        if places:
            return f"Taken out by “{places[0].exclusion}”"
        return "None of these phrases is in it"
