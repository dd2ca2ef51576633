"""Flask's extensions, bare: wiring in `create_app` gives them an app."""

from __future__ import annotations

from flask import Flask
from flask_cors import CORS
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf import CSRFProtect

login_manager = LoginManager()
csrf = CSRFProtect()
cors = CORS()
limiter = Limiter(key_func=get_remote_address)


def init_app(app: Flask) -> None:
    """Bind the extensions to the app. The loader and the launcher's look answer other origins;
    the chat itself is asked from its own page only.
    """
    login_manager.init_app(app)
    csrf.init_app(app)
    limiter.init_app(app)
    cors.init_app(
        app,
        resources={r"/widget/[^/]+/look": {"origins": "*"}, r"/embed.*": {"origins": "*"}},
        max_age=3600,
    )
