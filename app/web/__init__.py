"""HTTP: blueprints, guards and error answers."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app.core.extensions import csrf
from app.web import api as rest
from app.web import auth, dashboard, hooks, qa, widget
from app.web.errors import register_error_handlers
from app.web.guards import authorise, check_routes
from app.web.operations import blueprint as operations


def register_web(app: Flask) -> None:
    """Add every route, then refuse to go on when one of them declares no permission."""
    for blueprint in (auth.blueprint, dashboard.blueprint, qa.blueprint, operations):
        app.register_blueprint(blueprint)
    for blueprint in (widget.blueprint, rest.blueprint):
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint)
    register_error_handlers(app)
    hooks.register(app)
    app.before_request(authorise)
    if proxies := app.extensions["settings"].trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies
        )
    check_routes(app)
