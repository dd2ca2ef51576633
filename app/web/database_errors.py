"""Answer 503 when the database is busy, too slow or away: waiting helps, and nobody broke it."""

from __future__ import annotations

import logging
import re
from typing import TypeAlias

import psycopg2
from flask import Flask, Response, current_app, make_response, request
from psycopg2 import errors as postgres
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.core.db import db, has_committed
from app.web.errors import PLAIN_WORDS, problem, unexpected_error
from app.web.identity import is_api_request
from app.web.page_headers import protect

logger = logging.getLogger(__name__)

Error: TypeAlias = DBAPIError | PoolTimeoutError | psycopg2.Error
RETRY_AFTER_SECONDS = 3
SLOW = (
    "This is taking too long right now. Please try again in a few seconds, or narrow your search."
)
TRY_AGAIN = "This is taking too long right now. Please try again in a few seconds."
NOT_SAVED = "We're very busy right now, so nothing was saved. Please try again in a few seconds."
MAYBE_SAVED = (
    "We're very busy right now and couldn't finish this."
    " Please go back and load the page again to see whether your change was saved."
)
#: The database ended the statement, or another transaction stood in its way.
_SLOW = (
    postgres.QueryCanceled,
    postgres.LockNotAvailable,
    postgres.DeadlockDetected,
    postgres.SerializationFailure,
)
_AWAY = (OperationalError, InterfaceError, psycopg2.OperationalError, psycopg2.InterfaceError)
#: A form with such a field isn't given back: what was typed there stays out of the page.
_SECRET = re.compile(r"password|secret|code|token|key|header", re.IGNORECASE)


def register(app: Flask) -> None:
    for kind in (DBAPIError, PoolTimeoutError, psycopg2.Error):
        app.register_error_handler(kind, _answer)


def _answer(error: Error) -> Response:
    is_slow = isinstance(error, PoolTimeoutError) or isinstance(_cause(error), _SLOW)
    if not is_slow and not isinstance(error, _AWAY) and not _lost_connection(error):
        return unexpected_error(error)
    logger.warning(
        "database %s: %s", "busy" if is_slow else "unavailable", type(_cause(error)).__name__
    )
    has_saved = has_committed()
    _give_connection_back()
    detail = _sentence(has_saved=has_saved) if is_slow else PLAIN_WORDS[503]
    response = _shown(detail, may_repeat=not has_saved)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _sentence(*, has_saved: bool) -> str:
    if request.method in ("GET", "HEAD"):
        return SLOW
    # A program's request can be repeated whatever became of it; signing in saves nothing of one's.
    if is_api_request() or request.blueprint == "auth":
        return TRY_AGAIN
    return MAYBE_SAVED if has_saved else NOT_SAVED


def _shown(detail: str, *, may_repeat: bool) -> Response:
    if is_api_request():
        return problem(503, detail)
    # An open page asks for a part of itself: it keeps the old one, and needs no page for people.
    if "X-Piece" in request.headers or request.accept_mimetypes.best == "text/plain":
        return protect(Response(detail, 503, mimetype="text/plain"))
    # Without context processors: those ask the database for what stands around every page.
    template = current_app.jinja_env.get_template("errors/busy.html")
    page = template.render(detail=detail, address=_own_address(), fields=_fields(may_repeat))
    return protect(make_response(page, 503))


def _fields(may_repeat: bool) -> list[tuple[str, str]] | None:
    """What was typed into the form, to send it once more. None: there is no form to send."""
    if request.method in ("GET", "HEAD"):
        return []
    if not may_repeat or request.method != "POST" or request.files:
        return None
    names = (name for name in request.form if name != "csrf_token")
    if any(map(_SECRET.search, names)):
        return None
    return list(request.form.items(multi=True))


def _give_connection_back() -> None:
    """The answer needs none, and others wait for it."""
    try:
        db.session.remove()
    except SQLAlchemyError:
        logger.warning("a broken connection could not be rolled back")


def _cause(error: Error) -> BaseException:
    return (error.orig if isinstance(error, DBAPIError) else None) or error


def _lost_connection(error: Error) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _own_address() -> str:
    """This request's path and query; two slashes first would lead a browser to another host."""
    return "/" + request.full_path.rstrip("?").lstrip("/\\")
