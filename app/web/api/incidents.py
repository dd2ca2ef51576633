"""`/api/v1/errors`: workflows report what failed; incidents are listed and resolved."""

from __future__ import annotations

import uuid
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields

from app.core.db import db, transaction
from app.incidents import n8n
from app.incidents.resolve import open_again, resolve
from app.reporting import incidents
from app.reporting.incidents import IncidentFilter
from app.web.api.blueprint import blueprint, caller, query
from app.web.api.error_report import ErrorReport, failed_run
from app.web.api.fields import Moment
from app.web.api.lists import page, query_schema
from app.web.audit import note_person
from app.web.body import read_json, takes_up_to
from app.web.guards import requires
from app.web.lists.incidents import INCIDENTS

#: The failing node's parameters may hold whole documents.
LARGEST_BODY_BYTES = 2 * 1024 * 1024
incident_query = query_schema(INCIDENTS)


class YesOrNo(fields.Field[bool]):
    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Please send true or false.")
        return value


class Resolution(Schema):
    resolved = YesOrNo(required=True)


class IncidentSchema(Schema):
    """Of a `reporting.incidents.IncidentRow`."""

    id = fields.UUID(attribute="incident.id")
    source = fields.String(attribute="incident.source")
    title = fields.String(attribute="incident.title")
    problem = fields.String(attribute="incident.problem")
    detail = fields.Dict(attribute="incident.detail")
    count = fields.Integer(attribute="incident.count")
    first_at = Moment(attribute="incident.first_at")
    last_at = Moment(attribute="incident.last_at")
    resolved = fields.Boolean(attribute="is_resolved")
    resolved_at = Moment(attribute="incident.resolved_at")
    site = fields.String(attribute="site_key")
    session_id = fields.UUID(attribute="incident.session_id")
    url = fields.String(attribute="incident.url")


@blueprint.post("/errors")
@requires("errors:write")
@takes_up_to(LARGEST_BODY_BYTES)
def report_error() -> ResponseReturnValue:
    run = failed_run(read_json(ErrorReport(), LARGEST_BODY_BYTES))
    with transaction() as session:
        noted = n8n.report(session, run, request.get_data(as_text=True), caller().site_id)
    session_id = noted.session_id and str(noted.session_id)
    return {"id": str(noted.id), "count": noted.count, "session_id": session_id}, 201


@blueprint.get("/errors", endpoint="errors")
@requires("errors:read")
def index() -> ResponseReturnValue:
    asked = query(incident_query)
    limit, cursor = asked.pop("limit"), asked.pop("cursor")
    wanted = IncidentFilter(**asked, own_site_id=caller().site_id)
    found = incidents.list_page(db.session(), wanted, limit=limit, cursor=cursor)
    return page(IncidentSchema(), found)


@blueprint.patch("/errors/<uuid:incident_id>")
@requires("errors:write")
def change_error(incident_id: uuid.UUID) -> ResponseReturnValue:
    is_resolved = read_json(Resolution())["resolved"]
    incidents.one(db.session(), incident_id, caller().site_id)
    db.session().rollback()
    with transaction() as session:
        if is_resolved:
            has_changed = resolve(session, incident_id, caller().user_id)
        else:
            has_changed = open_again(session, incident_id)
        if has_changed:
            action = "incident.resolved" if is_resolved else "incident.reopened"
            note_person(session, action, "incident", incident_id)
        answer: dict[str, object] = IncidentSchema().dump(incidents.one(session, incident_id))
    return answer
