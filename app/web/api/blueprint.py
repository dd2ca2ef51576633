"""The API's blueprint, who calls it, and how its views read a query."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema
from sqlalchemy import select

from app.accounts import api_keys
from app.accounts.credentials import Identity
from app.core.db import db, transaction
from app.core.errors import Invalid, NotFound
from app.models import ChatSession
from app.web.identity import current_identity

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.before_request
def stay_on_own_site() -> None:
    """A key of one site: another site's session is not there. Runs after `guards.authorise`."""
    identity = current_identity()
    if identity is None or identity.key_id is None:
        return
    session_id = (request.view_args or {}).get("session_id")
    if session_id is not None and identity.site_id is not None:
        asked = select(ChatSession.site_id).where(ChatSession.id == session_id)
        if db.session().scalar(asked) != identity.site_id:
            raise NotFound("There is no session with this id. It may have been deleted.")
    db.session().rollback()
    with transaction() as session:
        api_keys.note_use(session, identity.key_id)


@blueprint.after_request
def keep_private(response: Response) -> Response:
    """Answers hold tokens and visitors' data: no cache keeps a copy."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def caller() -> Identity:
    """Who is asking, on a route that is not public."""
    identity = current_identity()
    assert identity is not None, "the route is public"
    return identity


def query(schema: Schema) -> dict[str, Any]:
    """The request's query parameters, checked; unknown ones are refused by name."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Invalid({name: ["Please give this once."] for name in repeated})
    loaded: dict[str, Any] = schema.load(request.args.to_dict())
    return loaded
