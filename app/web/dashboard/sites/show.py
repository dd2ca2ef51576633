"""`/sites/<key>`: one site's booking phrases and settings, with a box to try a message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from app.completion.backtest import rules_of
from app.core.db import db
from app.core.errors import Invalid
from app.models import Site
from app.reporting import sites as reporting
from app.sites.find import find_site
from app.sites.rules import try_message
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.lists.params import ids


@blueprint.get("/sites/<key>")
@requires("sites:write")
def site(key: str) -> ResponseReturnValue:
    """`?backtest=` brings back the phrases of a test, to be changed further."""
    found = find_site(db.session(), key)
    values = stored_values(found)
    for backtest_id in ids("backtest")[:1]:
        tested = reporting.one_backtest(db.session(), found.id, backtest_id)
        values |= _lines(tested.parameters)
    return editor(found, values)


def editor(
    found: Site, values: dict[str, str], error: Invalid | None = None, done: str | None = None
) -> str:
    """The page with these values. `error`: why they were not saved; `done`: what was."""
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


def stored_values(found: Site) -> dict[str, str]:
    """What the form shows while nothing is changed."""
    return {
        **_lines(rules_of(found)),
        "message": "",
        "partial_after_minutes": str(found.partial_after_minutes),
        "memory_table": found.memory_table,
    }


def _lines(rules: Mapping[str, Any]) -> dict[str, str]:
    return {name: "\n".join(rules[name]) for name in ("phrases", "exclusions")}
