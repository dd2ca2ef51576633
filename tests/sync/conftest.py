"""A site, and N8n's table in our own database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.core.db import transaction
from tests.factories import make_site
from tests.sync.n8n import memory_table


@pytest.fixture
def site(database: Flask) -> str:
    """The key of the only site."""
    with transaction() as session:
        return str(make_site(session).key)


@pytest.fixture
def memory(site: str) -> Iterator[str]:
    """N8n's table, empty. Gives the site's key."""
    with memory_table():
        yield site
