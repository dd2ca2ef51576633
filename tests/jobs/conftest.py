"""A real worker process on the test database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.conftest import AUTH, SECRET, n8n, outbox_of
from tests.fakes.n8n import N8n
from tests.jobs.workers import Start, workers

__all__ = ["n8n", "outbox_of"]


@pytest.fixture
def start_worker(database_url: str, n8n: N8n) -> Iterator[Start]:
    settings = {
        "N8N_LEAD_WEBHOOK_URL": n8n.url,
        "N8N_WEBHOOK_SECRET": SECRET,
        "N8N_AUTH_HEADER_NAME": "X-Bridge",
        "N8N_AUTH_HEADER_VALUE": AUTH,
    }
    with workers(database_url, **settings) as start:
        yield start
