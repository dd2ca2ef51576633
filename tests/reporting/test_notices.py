"""What every page warns of: paused destinations, and sites answered without their assistant."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.assistants.registry import ASSISTANTS
from app.core import clock
from app.models import AssistantHealth, Destination, Site
from app.reporting.notices import warnings
from tests.assistants.stand import Stand
from tests.factories import make_site
from tests.reporting.queries import counted

SINCE = clock.now() - timedelta(minutes=12)


@pytest.fixture(autouse=True)
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand("Hi")
    monkeypatch.setitem(ASSISTANTS, "openai", stand)
    return stand


def failing(
    session: Session, site: Site, resting_until: datetime | None, assistant: str = "openai"
) -> None:
    session.add(
        AssistantHealth(
            site_id=site.id,
            assistant=assistant,
            failures=3,
            failing_since=SINCE,
            last_failed_at=clock.now(),
            last_kind="too_slow",
            resting_until=resting_until,
        )
    )
    session.flush()


def test_only_what_is_paused_is_warned_of(session: Session) -> None:
    session.add(Destination(key="console", kind="console"))
    session.add(Destination(key="n8n", kind="n8n", paused_at=clock.now()))
    session.flush()
    assert warnings(session).paused == ["n8n"]
    assert warnings(session).fallbacks == []


def test_a_site_whose_assistant_rests_is_named_with_the_moment_it_began(session: Session) -> None:
    site = make_site(session, name="Oak", assistant="openai")
    well = make_site(session, assistant="openai")
    failing(session, site, clock.now() + timedelta(seconds=30))
    (found,) = warnings(session).fallbacks
    assert (found.site_id, found.name, found.kind, found.since) == (
        site.id, "Oak", "too_slow", SINCE,
    )  # fmt: skip
    assert warnings(session).fallback_of(well.id) is None


def test_it_stays_on_the_fallback_after_the_rest_until_an_answer_succeeds(
    session: Session,
) -> None:
    failing(session, make_site(session, assistant="openai"), clock.now() - timedelta(hours=1))
    assert len(warnings(session).fallbacks) == 1


def test_one_failure_is_not_the_fallback_yet(session: Session) -> None:
    failing(session, make_site(session, assistant="openai"), None)
    assert warnings(session).fallbacks == []


def test_an_assistant_the_site_no_longer_has_does_not_count(session: Session) -> None:
    later = clock.now() + timedelta(seconds=30)
    failing(session, make_site(session, assistant="scripted"), later)
    failing(session, make_site(session, assistant="openai"), later, assistant="n8n")
    assert warnings(session).fallbacks == []


def test_an_assistant_that_is_not_set_up_is_named(session: Session, stand: Stand) -> None:
    make_site(session, name="Zoo", assistant="openai")
    make_site(session, name="Alm", assistant="openai", assistant_settings={"business": "x" * 4000})
    stand.is_ready = False
    assert [(each.name, each.kind, each.since) for each in warnings(session).fallbacks] == [
        ("Alm", "not_set_up", None),
        ("Zoo", "not_set_up", None),
    ]


def test_a_sites_own_address_counts_when_asking_whether_it_is_set_up(session: Session) -> None:
    settings = {"chat_url": "https://n8n.example.com/chat"}
    own = make_site(session, assistant="n8n", assistant_settings=settings)
    none = make_site(session, assistant="n8n")
    assert warnings(session).fallback_of(own.id) is None
    assert warnings(session).fallback_of(none.id) is not None


def test_it_is_one_statement_for_any_number(session: Session) -> None:
    for _ in range(10):
        failing(session, make_site(session, assistant="openai"), clock.now())
    session.add(Destination(key="n8n", kind="n8n", paused_at=clock.now()))
    session.flush()
    with counted() as seen:
        found = warnings(session)
    assert (len(seen), len(found.fallbacks), found.paused) == (1, 10, ["n8n"])
