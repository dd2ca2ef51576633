"""HTTP: blueprints, guards and error answers."""

from __future__ import annotations

from flask import Flask

from app.core.extensions import csrf
from app.web import api as rest
from app.web import (
    auth,
    connection_shares,
    dashboard,
    database_errors,
    hooks,
    qa,
    widget,
)
from app.web.auth import signed_in
from app.web.body import BoundedRequest, limit_body
from app.web.errors import register_error_handlers
from app.web.forwarded import Forwarded
from app.web.guards import authorise, check_routes
from app.web.operations import blueprint as operations
from app.web.page_headers import protect_every
from app.web.template_output import register as register_template_output


def register_web(app: Flask) -> None:
    """Add every route, then refuse to go on when one of them declares no permission."""
    for blueprint in (auth.blueprint, dashboard.blueprint, qa.blueprint, operations):
        app.register_blueprint(blueprint)
    for blueprint in (widget.blueprint, rest.blueprint):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    register_template_output(app)
    register_error_handlers(app)
    app.request_class = BoundedRequest
    app.before_request(limit_body)
    database_errors.register(app)
    connection_shares.register(app)
    hooks.register(app)
    app.before_request(authorise)
    app.before_request(signed_in.note_use)
    app.after_request(protect_every)
    proxies = app.extensions["settings"].trusted_proxies
    app.wsgi_app = Forwarded(app.wsgi_app, proxies)  # type: ignore[method-assign]
    check_routes(app)
