"""The blueprint of signing in, and what every page for people gets beside it."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from app.web.page_headers import protect

blueprint = Blueprint("auth", __name__)
blueprint.after_request(protect)

STALE = "This page was open for too long. Please go back, load it again and repeat your last step."


@blueprint.after_app_request
def protect_problem(response: Response) -> Response:
    """The page for an unknown address belongs to no blueprint."""
    is_page = request.blueprint is None and response.mimetype == "text/html"
    return protect(response) if is_page else response


@blueprint.app_errorhandler(CSRFError)
def stale_form(error: CSRFError) -> ResponseReturnValue:
    """A form without its token, or with that of another session."""
    page = render_template("errors/problem.html", status=400, detail=STALE)
    return protect(make_response(page, 400))
