"""Own views of a list: the filters of its address under a name, shown as tabs above it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue

from app.accounts import saved_views
from app.core.db import db, transaction
from app.core.errors import Denied, Invalid, NotFound
from app.models import SavedView
from app.web.audit import note
from app.web.frame.blueprint import blueprint
from app.web.guards import requires
from app.web.identity import current_identity
from app.web.lists.fields import FilteredList
from app.web.lists.filters import Filters, read_filters

Draw = Callable[[Filters[Any], "Tabs"], str]
#: The lists that have views, by name (`FilteredList.views`), with what draws their whole page.
_LISTS: dict[str, tuple[FilteredList[Any], Draw]] = {}


@dataclass(frozen=True, slots=True)
class Tab:
    view: SavedView
    query: dict[str, str]


@dataclass(frozen=True, slots=True)
class Tabs:
    """The user's views of one list. `typed`: the name that was refused, `errors` why, `refused`:
    in which field, `new-view` or `view-name`.
    """

    page: str
    views: Sequence[Tab]
    current: Tab | None
    is_changed: bool
    refused: str = ""
    typed: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)


def has_views(of: FilteredList[Any]) -> Callable[[Draw], Draw]:
    """Give the list saved views: the function draws its whole page, with their tabs."""

    def register(draw: Draw) -> Draw:
        _LISTS[of.views] = (of, draw)
        return draw

    return register


def read_tabs(filters: Filters[Any]) -> Tabs:
    """The tabs of this list. `filters`: what it shows now."""
    page = filters.of.views
    found = [
        Tab(view, dict(parse_qsl(view.query)))
        for view in saved_views.views_of(db.session(), _user_id(), page)
    ]
    current = next((tab for tab in found if tab.view.id == filters.view_id), None)
    is_changed = current is not None and current.query != filters.filter_query
    return Tabs(page, found, current, is_changed)


@blueprint.post("/views/<page>")
@requires("profile:write")
def save_view(page: str) -> ResponseReturnValue:
    """The filters are this address's own query, as everywhere."""
    filters, name = _read(page), request.form.get("name", "")
    try:
        with transaction() as session:
            query = urlencode(filters.filter_query)
            view = saved_views.save(session, _user_id(), page, name, query)
            note(session, "view.saved", "view", view.id, name=view.name)
    except Invalid as error:
        return _refused(page, "new-view", name, error)
    flash(f"Saved as “{view.name}”.")
    return redirect(filters.address(view=str(view.id)))


@blueprint.post("/views/<uuid:view_id>/name")
@requires("profile:write")
def rename_view(view_id: uuid.UUID) -> ResponseReturnValue:
    view, name = saved_views.one(db.session(), _user_id(), view_id), request.form.get("name", "")
    page, old = view.page, view.name
    filters = _read(page)
    try:
        with transaction() as session:
            saved_views.rename(session, view, name)
            if view.name != old:
                note(session, "view.renamed", "view", view_id, old=old, name=view.name)
    except Invalid as error:
        return _refused(page, "view-name", name, error)
    flash(f"“{old}” is called “{view.name}” now.")
    return redirect(filters.address(view=str(view_id)))


@blueprint.post("/views/<uuid:view_id>/filters")
@requires("profile:write")
def replace_view(view_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        view = saved_views.one(session, _user_id(), view_id)
        filters = _read(view.page)
        old, view.query = view.query, urlencode(filters.filter_query)
        if view.query != old:
            note(session, "view.changed", "view", view_id, name=view.name)
    flash(f"“{view.name}” shows this from now on.")
    return redirect(filters.address(view=str(view_id)))


@blueprint.post("/views/<uuid:view_id>/deletion")
@requires("profile:write")
def delete_view(view_id: uuid.UUID) -> ResponseReturnValue:
    with transaction() as session:
        view = saved_views.one(session, _user_id(), view_id)
        session.delete(view)
        note(session, "view.deleted", "view", view_id, name=view.name)
    flash(f"The view “{view.name}” is deleted. The list itself is as it was.")
    return redirect(_read(view.page).address(view=None))


def _refused(page: str, field_id: str, typed: str, error: Invalid) -> ResponseReturnValue:
    filters = _read(page)
    tabs = read_tabs(filters)
    tabs = replace(tabs, refused=field_id, typed=typed, errors=dict(error.errors))
    _, draw = _LISTS[page]
    return draw(filters, tabs), 422


def _read(page: str) -> Filters[Any]:
    if page not in _LISTS:
        raise NotFound("This list has no views.")
    of, _ = _LISTS[page]
    return read_filters(of)


def _user_id() -> uuid.UUID:
    identity = current_identity()
    if identity is None or identity.user_id is None:
        raise Denied("Only people have views of their own.")
    return identity.user_id
