"""The settings of a site's assistant on their page; secrets stay secret."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.crypto import unseal
from app.core.db import transaction
from app.models import Site
from app.models.assistant_settings import AssistantSettings
from tests.assistants.stand import Stand
from tests.reporting.queries import counted
from tests.web.assistant_page import (
    PAGE,
    ai,
    form_of,
    save,
    send,
    site,
    stand,
)
from tests.web.signed_in import csrf_token, make_user, sign_in

__all__ = ["site", "stand"]
pytestmark = pytest.mark.usefixtures("database")
CHAT = "https://n8n.example.com/webhook/1/chat"


def test_only_admins_see_change_and_try_it(app: Flask, site: Site) -> None:
    nobody, agent = app.test_client(), app.test_client()
    make_user("bob@example.com", role="agent")
    sign_in(agent, email="bob@example.com")
    token = csrf_token(agent.get("/sessions"))
    assert nobody.get(PAGE).status_code == 302
    assert agent.get(PAGE).status_code == 403
    assert agent.post(PAGE, data={"csrf_token": token}).status_code == 403
    assert send(agent, token, {}, []).status_code == 403


def test_without_its_token_nothing_is_saved_or_tried(admin: FlaskClient, site: Site) -> None:
    assert admin.post(PAGE, data={"assistant": "openai"}).status_code == 400
    assert admin.post(f"{PAGE}/trials", json={"settings": {}}).status_code == 400


def test_an_unknown_site_is_not_found(admin: FlaskClient) -> None:
    assert admin.get(PAGE).status_code == 404


def test_the_page_is_linked_from_the_site_and_the_list(admin: FlaskClient, site: Site) -> None:
    assert f'href="{PAGE}"' in admin.get("/sites").text
    assert f'href="{PAGE}"' in admin.get("/sites/harbour").text


def test_saving_the_page_as_it_is_changes_nothing(admin: FlaskClient, site: Site) -> None:
    settings = {"assistant": "n8n", "day_money": "7.5", "link_hosts": "a.example\r\nb.example"}
    assert save(admin, **settings).status_code == 302
    before = ai()
    assert (before.day_money, before.link_hosts) == (7.5, ("a.example", "b.example"))
    assert save(admin).status_code == 302
    assert ai() == before
    assert "The settings are saved." in admin.get(PAGE).text


def test_what_is_typed_is_saved(admin: FlaskClient, site: Site) -> None:
    save(admin, assistant="openai", business=" We fit <kitchens>.\r\nIn Bristol. ", model="gpt-x",
         session_tokens="50,000", first_word_seconds="7")  # fmt: skip
    found = ai()
    assert found.business == "We fit <kitchens>.\nIn Bristol."
    assert (found.model, found.session_tokens, found.first_word_seconds) == ("gpt-x", 50_000, 7)
    page = admin.get(PAGE).text
    assert "We fit &lt;kitchens&gt;." in page
    assert 'value="50,000"' in page


def test_what_is_wrong_is_said_beside_its_field_and_all_that_was_typed_stays(
    admin: FlaskClient, site: Site
) -> None:
    page = save(
        admin, assistant="n8n", chat_url="n8n.example.com", day_turns="many", business="Typed",
        link_hosts="good.example\r\nbad one", chat_access="header", chat_header_name="X-Key",
    )  # fmt: skip
    assert page.status_code == 422
    for field, problem in (
        ("chat_url", "whole address"),
        ("day_turns", "whole number"),
        ("link_hosts", "“bad one”: Please give a host"),
    ):
        assert re.search(rf'id="{field}-error"><p>[^<]*{problem}', page.text), field
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page.text), field
    assert form_of(page)["day_turns"] == "many"
    assert form_of(page)["assistant"] == "n8n"
    assert form_of(page)["chat_header_name"] == "X-Key"
    assert "Typed</textarea>" in page.text
    assert "bad one</textarea>" in page.text
    assert ai() == AssistantSettings()


def test_a_wrong_value_among_more_settings_is_seen(admin: FlaskClient, site: Site) -> None:
    assert '<details class="more-settings">' in admin.get(PAGE).text
    page = save(admin, assistant="openai", price_in="cheap")
    assert '<details class="more-settings" open>' in page.text


def test_a_secret_is_never_shown_again_can_be_kept_and_removed(
    admin: FlaskClient, site: Site
) -> None:
    access = {"assistant": "n8n", "chat_url": CHAT, "chat_access": "basic"}
    assert save(admin, **access, chat_user="ann", chat_password="hush").status_code == 302
    sealed = ai().chat_header_sealed
    assert unseal(sealed) == "Basic YW5uOmh1c2g="
    page = admin.get(PAGE).text
    for secret in (sealed, "hush", "YW5uOmh1c2g"):
        assert secret not in page
    assert "Leave empty to keep it" in page
    save(admin, day_turns="9")
    assert ai().chat_header_sealed == sealed
    wrong = save(admin, day_turns="x", chat_user="ann", chat_password="hush")
    assert "hush" not in wrong.text
    assert "Please type this again" in wrong.text
    save(admin, chat_access="none")
    assert ai().chat_header_sealed == ""


def test_a_secret_that_can_no_longer_be_read_is_said_so(admin: FlaskClient, site: Site) -> None:
    with transaction() as session:
        session.merge(site).assistant_settings = {
            "chat_header_name": "X-Key",
            "chat_header_sealed": "gAAAAAB",
        }
    assert "can no longer be read" in admin.get(PAGE).text


def test_the_page_takes_few_queries(admin: FlaskClient, site: Site, stand: Stand) -> None:
    save(admin, assistant="openai")
    with counted() as seen:
        admin.get(PAGE)
    assert len(seen) <= 6
