"""The Sync page lists what keeps stopping the worker, and an admin retries it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.db import transaction
from tests.factories import make_quarantined
from tests.web.forms import follow

pytestmark = pytest.mark.usefixtures("database")


def test_nothing_is_quarantined_at_first(admin: FlaskClient) -> None:
    page = admin.get("/sync").text
    assert "Jobs that stopped the worker" in page
    assert "None. A job that keeps stopping" in page


def test_a_quarantined_job_is_shown_in_plain_words(admin: FlaskClient) -> None:
    with transaction() as session:
        make_quarantined(session)
    page = admin.get("/sync").text
    assert "A check" in page
    assert "It stopped the worker 3 times" in page
    assert "Retry<span" in page


def test_a_delivery_goes_on_by_itself_so_there_is_nothing_to_retry(admin: FlaskClient) -> None:
    with transaction() as session:
        make_quarantined(session, "deliver", subject="deliver:n8n", quarantined_at=None)
    page = admin.get("/sync").text
    assert "Sending to " in page
    assert "retried automatically" in page
    assert "Retry<span" not in page


def test_retrying_has_the_job_run_alone_once_more(admin: FlaskClient) -> None:
    with transaction() as session:
        job_id = make_quarantined(session)
    path = f"/sync/jobs/{job_id}/attempts"
    assert "is retried" in follow(admin, "/sync", path)
    with transaction() as session:
        job = session.execute(text("SELECT status, queue_name FROM procrastinate_jobs")).one()
        assert tuple(job) == ("todo", "alone")
        found = session.execute(text("SELECT deaths, deaths_alone FROM job_deaths")).one()
        assert tuple(found) == (3, 0)
    assert "This job isn&#39;t quarantined any more." in follow(admin, "/sync", path)
