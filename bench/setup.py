"""What a benchmark's database needs before the first visitor."""

from __future__ import annotations

from app import create_app
from app.cli.setup import prepare
from app.core.db import db
from config import Settings

EMAIL = "admin@example.com"
PASSWORD = "a long enough password"


def prepare_database(address: str) -> None:
    """Make the demo site and an admin in this database."""
    app = create_app(
        Settings.load(
            {
                "DATABASE_URL": address,
                "SECRET_KEY": "a-secret-for-benchmarks-of-enough-length",
                "ADMIN_EMAIL": EMAIL,
                "ADMIN_PASSWORD": PASSWORD,
            }
        )
    )
    prepare(app)
    with app.app_context():
        db.engine.dispose()
