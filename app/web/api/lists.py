"""Lists in the API: the query they take, the page they answer with."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields
from marshmallow.validate import Length, OneOf, Range

from app.reporting.pages import Page
from app.web.api.fields import Moment, StoredText
from app.web.lists.fields import FilteredList, FilterField
from app.web.lists.params import LONGEST_QUERY


class PageQuery(Schema):
    limit = fields.Integer(load_default=50, validate=Range(1, 200))
    cursor = StoredText(load_default=None, validate=Length(max=500))


def query_schema(of: FilteredList[Any]) -> Schema:
    """The schema of a list's query: its page, its period, its filters and its search."""
    known: dict[str, fields.Field[Any]] = {}
    if of.period:
        start, end = of.period
        known |= {start: Moment(data_key="from"), end: Moment(data_key="to")}
    known |= {each.sets: _parameter(each) for each in of.fields if each.is_in_api}
    if of.search:
        known[of.search] = StoredText(data_key="q", validate=Length(max=LONGEST_QUERY))
    return PageQuery.from_dict(known)()


def _parameter(field: FilterField) -> fields.Field[Any]:
    if field.type == "flag":
        return fields.Boolean(data_key=field.name)
    if field.api_values:
        return fields.String(data_key=field.name, validate=OneOf(field.api_values))
    return StoredText(data_key=field.name, validate=Length(max=100))


def page(schema: Schema, found: Page[Any]) -> dict[str, Any]:
    """A list's answer."""
    return {"data": schema.dump(found.items, many=True), "next_cursor": found.next_cursor}
