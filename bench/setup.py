"""What a benchmark's database needs before the first visitor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app import create_app
from app.cli.setup import prepare
from app.core.db import db, transaction
from app.sites.edit import change_site, create_site
from bench.servers import SECRET_KEY
from config import Settings

EMAIL = "admin@example.com"
PASSWORD = "a long enough password"


def prepare_database(address: str, sites: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Make the demo site, an admin and these sites in this database; values by key."""
    app = create_app(
        Settings.load(
            {
                "DATABASE_URL": address,
                "SECRET_KEY": SECRET_KEY,
                "ADMIN_EMAIL": EMAIL,
                "ADMIN_PASSWORD": PASSWORD,
            }
        )
    )
    prepare(app)
    with app.app_context():
        with transaction() as session:
            for key, values in (sites or {}).items():
                create_site(session, key)
                change_site(session, key, values)
        db.engine.dispose()
