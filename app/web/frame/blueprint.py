"""The dashboard's blueprint, what every page of it gets, and how nouns add to that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Blueprint, get_flashed_messages, request
from flask.blueprints import BlueprintSetupState

from app.web.frame import html, labels
from app.web.frame.addresses import back_path, query_args
from app.web.identity import current_identity
from app.web.page_headers import protect

Context = Callable[[], Mapping[str, Any]]

blueprint = Blueprint("dashboard", __name__)
blueprint.after_request(protect)
_contexts: list[Context] = []


def add_context(context: Context) -> Context:
    """Have this called for every page; templates get what it returns."""
    _contexts.append(context)
    return context


def add_labels(**modules: object) -> None:
    """Give every template a noun's labels, under this name."""
    blueprint.record_once(lambda state: state.app.jinja_env.globals.update(modules))


@blueprint.context_processor
def frame() -> dict[str, Any]:
    """What every page is rendered with."""
    context: dict[str, Any] = {
        "identity": current_identity(),
        "back_path": back_path,
        "query_args": query_args,
        "flashed_messages": flashed_messages,
    }
    for added in _contexts:
        context.update(added())
    return context


def is_partial_request() -> bool:
    """Whether an open page asks, to update parts of itself."""
    return "X-Piece" in request.headers


def flashed_messages() -> Sequence[Any]:
    """The outcome of the last action, for the page a person goes on to."""
    return () if is_partial_request() else get_flashed_messages(with_categories=True)


@blueprint.record_once
def _add_filters_and_globals(state: BlueprintSetupState) -> None:
    state.app.jinja_env.filters.update(
        ago=labels.ago,
        until=labels.until,
        exact=labels.exact,
        day=labels.day,
        clock=labels.clock_time,
        order=labels.order,
        capitalize_first=labels.capitalize_first,
    )
    state.app.jinja_env.globals.update(
        icon=html.icon, badge=html.badge, ago=html.ago, until=html.until, labels=labels
    )
