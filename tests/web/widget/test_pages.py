"""The loader, its files, the look, the chat page and the demo."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import create_app
from app.chat.turn import PATIENCE_SECONDS
from app.core.db import transaction
from tests.factories import make_site

ORIGINS = ["https://one.example", "https://two.example:8443"]


@pytest.fixture
def site_key(database: Flask) -> str:
    with transaction() as session:
        site = make_site(session, name="Häuser & <Höfe>", colour="#aa0033", position="left")
        return str(site.key)


def _change(key: str, **values: object) -> None:
    from app.sites.find import find_site

    with transaction() as session:
        site = find_site(session, key)
        for name, value in values.items():
            setattr(site, name, value)


def test_the_loader_may_be_loaded_by_every_origin(client: FlaskClient) -> None:
    response = client.get("/embed.js")
    assert response.status_code == 200
    assert response.mimetype == "text/javascript"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    again = client.get("/embed.js", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_the_look_of_a_site(client: FlaskClient, site_key: str) -> None:
    response = client.get(f"/widget/{site_key}/look", headers={"Origin": "https://a.example"})
    assert response.get_json() == {
        "name": "Häuser & <Höfe>",
        "colour": "#aa0033",
        "position": "left",
        "language": "en",
        "label": "Plan your project",
    }
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "public, max-age=60"


def test_the_look_of_an_unknown_site_is_a_problem(client: FlaskClient, site_key: str) -> None:
    response = client.get("/widget/nobody/look")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"


def test_the_chat_page_runs_nothing_but_our_files(client: FlaskClient, site_key: str) -> None:
    response = client.get(f"/widget/{site_key}")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'" in policy
    assert policy.endswith("frame-ancestors *")
    assert "X-Frame-Options" not in response.headers
    assert "Häuser &amp; &lt;Höfe&gt;" in response.text
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", response.text)
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', response.text):
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        asset = client.get(address)
        assert asset.status_code == 200
        assert asset.headers["Cache-Control"] == "public, max-age=31536000"


def test_only_allowed_origins_may_frame_the_chat(client: FlaskClient, site_key: str) -> None:
    _change(site_key, allowed_origins=ORIGINS)
    policy = client.get(f"/widget/{site_key}").headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://one.example https://two.example:8443")


def test_the_chat_page_is_told_whose_links_count_and_how_long_an_answer_may_take(
    client: FlaskClient, site_key: str
) -> None:
    settings = {"link_hosts": ["help.example"], "answer_seconds": 120}
    _change(site_key, allowed_origins=ORIGINS, assistant_settings=settings)
    page = client.get(f"/widget/{site_key}").text
    assert 'data-link-hosts="help.example one.example two.example"' in page
    [patience_seconds] = re.findall(r'data-patience-seconds="(\d+)"', page)
    assert int(patience_seconds) > 120 + PATIENCE_SECONDS


def test_the_consent_line_stands_above_the_input(client: FlaskClient, site_key: str) -> None:
    _change(site_key, consent={"mode": "line", "text": "You agree to <this>.", "version": "2"})
    assert "You agree to &lt;this&gt;." in client.get(f"/widget/{site_key}").text
    _change(site_key, consent={"mode": "question", "text": "May we call you?", "version": "2"})
    assert "May we call you?" not in client.get(f"/widget/{site_key}").text


@pytest.mark.parametrize("key", ["nobody", "no%00body", "x" * 300])
def test_an_unknown_site_is_told_in_a_plain_sentence(
    client: FlaskClient, site_key: str, key: str
) -> None:
    response = client.get(f"/widget/{key}")
    assert response.status_code == 404
    assert "There is no chat at this address." in response.text


@pytest.mark.parametrize("name", ["secret.txt", "..%2F..%2Fconfig.py", ".built"])
def test_nothing_else_is_served(client: FlaskClient, session: Session, name: str) -> None:
    assert client.get(f"/embed/{name}").status_code == 404


def test_the_demo_page_is_for_development(app: Flask, client: FlaskClient) -> None:
    page = client.get("/demo")
    assert page.status_code == 200
    assert 'src="/embed.js" data-site="demo"' in page.text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    settings = dataclasses.replace(app.extensions["settings"], app_env="production")
    assert create_app(settings).test_client().get("/demo").status_code == 404
