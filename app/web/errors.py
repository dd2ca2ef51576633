"""Errors as people and machines see them: RFC 9457 JSON for machines, a page for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, make_response, render_template
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from app.core.errors import (
    AppError,
    Busy,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    by_field,
)
from app.web.identity import is_api_request

logger = logging.getLogger(__name__)

STATUS_OF: dict[type[AppError], int] = {
    Unauthenticated: 401,
    Denied: 403,
    NotFound: 404,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
    Busy: 503,
}
PLAIN_WORDS = {
    400: "This request could not be read. Please send valid JSON in UTF-8.",
    401: "Please sign in.",
    403: "You may not do this.",
    404: "There is nothing at this address.",
    405: "This address does not accept that method.",
    413: "This is too large. Please send less.",
    415: "Please send JSON, with the header Content-Type: application/json.",
    500: "Something went wrong on our side. It has been recorded. Please try again.",
    503: "We cannot reach our database right now. Please try again in a few seconds.",
}
#: Where a browser shows it to people: there no program sends JSON, and no field is marked.
ON_PAGES = {
    400: "What your browser sent could not be read. Please go back and try again.",
    405: "There is no page at this address. Please go back and press the button once more.",
    422: "This address is not complete, or out of date. Please start again from the list.",
}


def register_error_handlers(app: Flask) -> None:
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(ValidationError, _validation_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, unexpected_error)


def problem(
    status: int, detail: str, errors: Mapping[str, Sequence[str]] | None = None
) -> Response:
    """An `application/problem+json` answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = errors
    return Response(
        json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json"
    )


def _answer(
    status: int, detail: str, errors: Mapping[str, Sequence[str]] | None = None
) -> Response:
    if is_api_request():
        return problem(status, detail, errors)
    words = ON_PAGES.get(status, detail)
    return make_response(
        render_template("errors/problem.html", status=status, detail=words), status
    )


def _app_error(error: AppError) -> Response:
    status = next(code for kind, code in STATUS_OF.items() if isinstance(error, kind))
    response = _answer(status, error.detail, error.errors if isinstance(error, Invalid) else None)
    if error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _validation_error(error: ValidationError) -> Response:
    return _answer(422, "Please check the marked fields.", by_field(error.messages))


def _http_error(error: HTTPException) -> Response:
    if error.response is not None or error.code is None or error.code < 400:
        return make_response(error.get_response())
    response = _answer(error.code, PLAIN_WORDS.get(error.code, error.description or error.name))
    for name, value in error.get_headers():
        if name in {"Retry-After", "Allow"}:
            response.headers[name] = value
    return response


def unexpected_error(error: Exception) -> Response:
    logger.exception("unexpected error", exc_info=error)
    return _answer(500, PLAIN_WORDS[500])
