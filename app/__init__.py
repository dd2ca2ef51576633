"""create_app: wiring only."""

from __future__ import annotations

from flask import Flask

from app import models
from app.core import extensions
from app.core.db import db
from app.web import register_web
from config import Settings

__all__ = ["create_app", "models"]


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings; by default those of the environment."""
    settings = settings or Settings.load()
    app = Flask(__name__, static_folder="../static/dist", template_folder="../templates")
    app.config.from_mapping(settings.flask_config())
    app.extensions["settings"] = settings
    db.init_app(app)
    extensions.init_app(app)
    register_web(app)
    register_cli(app)
    return app
