"""`/keys`: the API keys, and the form that creates one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from app.accounts import api_keys
from app.accounts.api_keys import NewKey
from app.core.db import db
from app.reporting import sites
from app.web.dashboard.keys import labels
from app.web.frame.blueprint import blueprint
from app.web.frame.live import SCOPE_OF
from app.web.guards import requires

SCOPE_OF["keys"] = "keys:write"


@blueprint.get("/keys", endpoint="keys")
@requires("keys:write")
def index() -> ResponseReturnValue:
    return page()


def page(
    typed: Mapping[str, Any] | None = None,
    *,
    errors: Mapping[str, list[str]] | None = None,
    made: NewKey | None = None,
) -> str:
    """The page with what was typed and what is wrong with it, or with the key just created."""
    known = api_keys.list_all(db.session())
    return render_template(
        "dashboard/keys/index.html",
        used=[each for each in known if each.key.revoked_at is None],
        revoked=[each for each in known if each.key.revoked_at is not None],
        sites=sites.list_all(db.session()),
        key_labels=labels,
        values=typed or {"name": "", "site": "", "scopes": []},
        errors=errors or {},
        made=made,
    )
