"""create_app: wiring only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Flask

from app import accounts, cli, delivery, sync
from app.accounts import hashing
from app.assistants import registry as assistants
from app.completion import layers
from app.core import db, embedded, extensions, logs, networks
from app.core.crypto import Signer, configure_sealing
from app.core.rates import Rates
from app.jobs.worker import register as register_worker
from app.web import register_web
from app.web.cookies import PeopleOnly
from config import Settings


class Application(Flask):
    """Flask, but for its check of each hook and view, at each request, for being asynchronous."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings; by default those of the environment.

    With no database address it starts, or joins, the embedded PostgreSQL.
    """
    settings = settings or Settings.load()
    if not settings.database_url:
        address = embedded.start(settings.instance_path).url
        settings = replace(settings, database_url=embedded.sqlalchemy_url(address))
    logs.configure(settings.log_format)
    app = Application(__name__, static_folder="../static/dist", template_folder="../templates")
    app.config.from_mapping(settings.flask_config())
    app.extensions["settings"] = settings
    app.extensions["widget_signer"] = Signer(settings.secret_keys, "widget")
    app.extensions["device_signer"] = Signer(settings.secret_keys, "known device")
    db.init_app(app)
    app.session_interface = PeopleOnly()
    extensions.init_app(app)
    app.extensions["rates"] = Rates(
        settings.ratelimit_storage_uri, is_enabled=settings.ratelimit_enabled
    )
    accounts.configure(settings.secret_keys)
    app.extensions["sign_in_lanes"] = hashing.lanes(has_budget=settings.ratelimit_enabled)
    configure_sealing(settings.secret_keys)
    networks.configure(settings.outbound_allow)
    delivery.configure(settings)
    assistants.configure(settings)
    layers.configure(settings.completion_layers)
    sync.configure(settings)
    register_web(app)
    cli.register(app)
    register_worker(app)
    return app
