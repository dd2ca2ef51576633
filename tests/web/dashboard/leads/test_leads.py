"""`/leads`: people, what they wanted, and how it fares."""

from __future__ import annotations

import uuid

import pytest
from flask.testing import FlaskClient

from app.core.db import transaction
from tests.reporting.queries import counted
from tests.reporting.test_leads import came, deliver

pytestmark = pytest.mark.usefixtures("database")


def test_a_person_is_one_row_with_every_session_below(agent: FlaskClient) -> None:
    assert "No leads yet" in agent.get("/leads").text
    with transaction() as session:
        old = came(session, 3, email="ann@x.example", name="<b>Ann</b>")
        new = came(
            session, 1, email="ann@x.example", name="Ann Lee", company="Lee & Co",
            qualification={"service": "A bath"}, phone="12", invalid=["phone"],
        )  # fmt: skip
        deliver(session, old, "dead")
    page = agent.get("/leads").text
    assert page.count('class="row-item"') == 1
    for shown in ("Ann Lee", "Lee &amp; Co", "A bath", "as typed", "mailto:ann@x.example",
                  "Came 2 times", "&lt;b&gt;Ann&lt;/b&gt;", "Needs a look"):  # fmt: skip
        assert shown in page
    for lead in (old, new):
        assert f'href="/sessions/{lead.session_id}"' in page
    rows = agent.get(f"/leads/rows?ids={old.session_id},{uuid.uuid4()}").text
    assert f'data-id="{new.session_id}"' in rows
    single = agent.get(f"/leads?person={old.id}").text
    assert single.count('class="row-item"') == 2
    assert "Person: Ann" not in single  # the chip escapes its name
    assert "Person: &lt;b&gt;Ann" in single


def test_filters_are_the_address_and_wrong_ones_count_as_none(agent: FlaskClient) -> None:
    with transaction() as session:
        came(session, 1, name="Ann", missing=["company"])
        came(session, 40, name="Bob", email="bob@x.example", status="in_progress")
    cases = {
        "q=ann": "Ann", "period=7d": "Ann", "has_email=no": "Ann", "missing=company": "Ann",
        "completion_status=in_progress": "Bob", "has_email=yes": "Bob", "q=@x.ex": "Bob",
    }  # fmt: skip
    for query, name in cases.items():
        page = agent.get(f"/leads?{query}").text
        assert page.count('class="row-item"') == 1, query
        assert name in page, query
    assert "<mark>Ann</mark>" in agent.get("/leads?q=ann").text
    assert "No lead fits" in agent.get("/leads?delivery=problem").text
    for query in ("missing=%00", "person=x", f"person={uuid.uuid4()}", "site=nowhere"):
        page = agent.get(f"/leads?{query}", follow_redirects=True)
        assert page.status_code == 200
        assert page.text.count('class="row-item"') == 2
    wrong = agent.get("/leads?from=yesterday")
    assert (wrong.status_code, "yesterday" in wrong.text) == (422, True)
    assert agent.get("/leads?cursor=nonsense").status_code == 422


def test_no_query_per_row(agent: FlaskClient) -> None:
    seen = []
    for number in (2, 20):
        with transaction() as session:
            for place in range(number):
                came(session, place, email=f"{number}-{place % 7}@x.example")
        with counted() as statements:
            assert agent.get("/leads").status_code == 200
        seen.append(len([each for each in statements if "leads" in each]))
    # The page is not full, so it is asked once more whether there are others.
    assert seen[0] == seen[1] <= 5
