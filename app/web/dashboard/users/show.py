"""`/users/<id>`: one user, with what an admin can do; a link just made is shown once."""

from __future__ import annotations

import uuid

from flask import render_template
from flask.typing import ResponseReturnValue

from app.accounts import links, two_factor, users
from app.core.db import db
from app.models.user import ROLES
from app.reporting import users as reporting
from app.web.dashboard.users import labels
from app.web.dashboard.users.links import take_new_link
from app.web.frame.blueprint import blueprint, is_partial_request
from app.web.guards import requires
from app.web.identity import signed_in_user_id


@blueprint.get("/users/<uuid:user_id>")
@requires("users:write")
def user(user_id: uuid.UUID) -> ResponseReturnValue:
    found = users.get(db.session(), user_id)
    return render_template(
        "dashboard/users/show.html",
        user=found,
        is_me=found.id == signed_in_user_id(),
        new_link=None if is_partial_request() else take_new_link(user_id),
        open_link=reporting.open_link(db.session(), found.id),
        codes_left=two_factor.recovery_codes_left(db.session(), found.id),
        is_mailed=links.are_sent(),
        roles=ROLES,
        user_labels=labels,
    )
