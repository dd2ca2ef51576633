"""What admins do with API keys: create one, shown once in the response, or revoke one."""

from __future__ import annotations

import uuid
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import api_keys
from app.core.db import db, transaction
from app.core.errors import Invalid
from app.web.audit import note
from app.web.dashboard.keys.index import page
from app.web.dashboard.keys.labels import SCOPES
from app.web.frame.blueprint import blueprint
from app.web.guards import requires

NONE_CHOSEN = "Please choose at least one."


@blueprint.post("/keys")
@requires("keys:write")
def make_key() -> ResponseReturnValue:
    typed = _typed()
    try:
        with transaction() as session:
            made = api_keys.create(
                session,
                name=typed["name"],
                scopes=typed["scopes"],
                site_key=typed["site"] or None,
            )
            note(session, "key.created", "key", made.key.id, name=made.key.name)
    except Invalid as error:
        errors = {**error.errors, **({} if typed["scopes"] else {"scopes": [NONE_CHOSEN]})}
        return page(typed, errors=errors), 422
    return page(made=made), 201


@blueprint.get("/keys/<uuid:key_id>/revocation")
@requires("keys:write")
def revocation(key_id: uuid.UUID) -> ResponseReturnValue:
    """Asks before the key is revoked."""
    return render_template("dashboard/keys/revoke.html", key=api_keys.one(db.session(), key_id))


@blueprint.post("/keys/<uuid:key_id>/revocation")
@requires("keys:write")
def revoke_key(key_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        revoked = api_keys.revoke(session, key_id)
        if revoked:
            note(session, "key.revoked", "key", key_id, name=revoked.name)
    flash(
        f"The key “{revoked.name}” is revoked. Nobody can sign in with it any more."
        if revoked
        else "This key was revoked before."
    )
    return redirect(url_for("dashboard.keys"))


def _typed() -> dict[str, Any]:
    """The form as it was sent: a scope that is not offered cannot be had by writing the form."""
    scopes = [scope for scope in request.form.getlist("scopes") if scope in SCOPES]
    return {
        "name": request.form.get("name", ""),
        "site": request.form.get("site", ""),
        "scopes": scopes,
    }
