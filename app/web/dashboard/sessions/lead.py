"""A session's lead, put right on its page."""

from __future__ import annotations

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from app.core.db import db, transaction
from app.core.errors import Conflict, Invalid
from app.reporting import sessions
from app.reporting.lead_changes import lead_changes
from app.review.lead import edit_lead
from app.web import audit
from app.web.dashboard.sessions.lead_form import (
    LeadForm,
    SubmittedLead,
    overtaken_form,
    read_form,
    wrong_form,
)
from app.web.dashboard.sessions.show import list_query, render_session, site_of
from app.web.frame.addresses import PAGE_OF
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity

PAGE_OF["dashboard.save_lead"] = "dashboard.session"


@blueprint.post("/sessions/<uuid:session_id>/lead")
@requires("leads:write")
def save_lead(session_id: uuid.UUID) -> ResponseReturnValue:
    typed, identity = read_form(), current_identity()
    try:
        with transaction() as session:
            changed = edit_lead(
                session,
                session_id,
                typed.values,
                version=typed.version,
                seen=typed.seen,
                user_id=identity.user_id if identity else None,
            )
            if changed:
                audit.note(session, "lead.edited", "session", session_id, fields=sorted(changed))
    except (Invalid, Conflict) as error:
        form = _again(session_id, typed, error)
        status = 422 if isinstance(error, Invalid) else 409
        return render_session("dashboard/sessions/show.html", session_id, form), status
    flash("The lead is saved." if changed else "Nothing was changed.")
    return redirect(url_for("dashboard.session", session_id=session_id, **list_query()))


def _again(session_id: uuid.UUID, typed: SubmittedLead, error: Invalid | Conflict) -> LeadForm:
    row = sessions.one(db.session(), session_id)
    site = site_of(db.session(), row)
    if isinstance(error, Invalid):
        return wrong_form(site, row.lead, typed, error.errors)
    changes = lead_changes(db.session(), row.lead.id) if row.lead else []
    return overtaken_form(site, row.lead, typed, changes)
