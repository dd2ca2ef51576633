"""Lists in the API: the query they take, the page they answer with."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range

from app.models.chat_session import ARCHIVE_STATUSES, CHANNELS, COMPLETION_STATUSES, QA_STATUSES
from app.reporting.pages import Page
from app.web.api.fields import Moment, Text


class PageQuery(Schema):
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = Text(load_default=None, validate=Length(max=500))


class SessionQuery(PageQuery):
    started_from = Moment(data_key="from")
    started_to = Moment(data_key="to")
    completion_status = fields.String(validate=OneOf(COMPLETION_STATUSES))
    archive_status = fields.String(validate=OneOf(ARCHIVE_STATUSES))
    qa_status = fields.String(validate=OneOf(QA_STATUSES))
    channel = fields.String(validate=OneOf(CHANNELS))
    site_key = Text(data_key="site", validate=Length(max=100))
    has_contact = fields.Boolean()
    assistant_engaged = fields.Boolean()
    words = Text(data_key="q", validate=Length(max=200))


def page(schema: Schema, found: Page[Any]) -> dict[str, Any]:
    """A list's answer."""
    return {"data": schema.dump(found.items, many=True), "next_cursor": found.next_cursor}
