"""Deny by default (rule 7): every route declares a permission, or that it is public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.core.errors import Denied, Unauthenticated
from app.web.identity import current_identity, is_api_request

View = TypeVar("View", bound=Callable[..., Any])
PUBLIC = "public"


def public(view: View) -> View:
    """Anybody may call this route; it looks after itself."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def requires(scope: str) -> Callable[[View], View]:
    """Only who has this scope (`accounts.permissions`) may call this route."""

    def declare(view: View) -> View:
        view.permission = scope  # type: ignore[attr-defined]
        return view

    return declare


def check_routes(app: Flask) -> None:
    """Refuse to start when a route has no declared permission. Flask's static files are public."""
    undeclared = sorted(
        {
            rule.endpoint
            for rule in app.url_map.iter_rules()
            if rule.endpoint != "static"
            and not hasattr(app.view_functions[rule.endpoint], "permission")
        }
    )
    if undeclared:
        raise RuntimeError(
            "These routes declare no permission (use @requires or @public): "
            + ", ".join(undeclared)
        )


def authorise() -> ResponseReturnValue | None:
    """Before each request: let it through, ask who is there, or refuse."""
    if request.endpoint is None or request.endpoint == "static":
        return None
    permission = getattr(current_app.view_functions[request.endpoint], "permission", None)
    if permission == PUBLIC:
        return None
    identity = current_identity()
    if identity is None:
        if is_api_request():
            raise Unauthenticated("Please sign in, or send a valid access token.")
        if request.method != "GET":
            abort(401)
        return redirect(url_for("auth.sign_in", next=request.full_path.rstrip("?")))
    if permission is None or permission not in identity.scopes:
        raise Denied("You may not do this. Ask an admin if you need to.")
    return None
