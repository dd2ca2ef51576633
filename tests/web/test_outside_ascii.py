"""Hosts, addresses and headers with letters outside ASCII: understood or refused in a sentence,
never an error of ours.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import http
from app.core.db import transaction
from app.core.errors import Invalid
from app.sites.edit import change_site
from app.sites.find import find_site
from app.web.dashboard.sites.assistant import _stored
from config import ConfigError, Settings
from tests.factories import make_site
from tests.web.signed_in import make_user, sign_in

#: As somebody types an origin, and as the browser of a visitor there sends it.
ORIGINS = [
    ("https://münchen.example", "https://xn--mnchen-3ya.example"),
    ("HTTPS://MÜNCHEN.Example/", "https://xn--mnchen-3ya.example"),
    ("https://münchen.example.", "https://xn--mnchen-3ya.example"),
    ("https://münchen.example:443", "https://xn--mnchen-3ya.example"),
    ("http://münchen.example:8080", "http://xn--mnchen-3ya.example:8080"),
    ("https://xn--mnchen-3ya.example", "https://xn--mnchen-3ya.example"),
    ("https://shop.пример.рф", "https://shop.xn--e1afmkfd.xn--p1ai"),
    ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
    ("https://faß.example", "https://xn--fa-hia.example"),
    ("https://www.Example.com", "https://www.example.com"),
    ("http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080"),
]
NO_ORIGINS = [
    "https://ü..example",
    "https://" + "ü" * 70 + ".example",
    "https://-ü.example",
    "https://a\u202eb.example",
    "https://ü.example/path",
    "https://ü.example?x",
    "https://ü.example; script-src *",
    "https://ü.example:99999",
    "https://℀.example",
    "münchen.example",
    "https://",
    "https://[ü]",
]
STRANGE = ("ü", "пример", "例", "\u202e", "\udcff", "☃" * 300, "é\r\nX: y", "\x85", "%ff", "😀")


@pytest.fixture
def site(database: Flask) -> str:
    with transaction() as session:
        return str(make_site(session, key="shop").key)


def start(client: FlaskClient, url: str, **page: str) -> TestResponse:
    return client.post("/widget/shop/sessions", json={"page": {"url": url, **page}})


@pytest.mark.parametrize(("typed", "origin"), ORIGINS)
def test_an_allowed_origin_is_stored_and_compared_as_browsers_send_it(
    database: Flask, client: FlaskClient, site: str, typed: str, origin: str
) -> None:
    setting = f"allowed_origins={json.dumps([typed])}"
    changed = database.test_cli_runner().invoke(args=["sites", "set", "shop", setting])
    assert changed.exit_code == 0, changed.output
    with database.app_context(), transaction() as session:
        assert find_site(session, "shop").allowed_origins == [origin]
    page = client.get("/widget/shop")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors {origin}")
    for address in (f"{origin}/a?b", typed, f"{typed.rstrip('/')}/ü?ü#ü"):
        assert start(client, address).status_code == 201, address
    for address in ("https://other.example/", "https://mùnchen.example", f"{origin}.evil.example"):
        assert start(client, address).status_code == 403, address


@pytest.mark.parametrize("typed", NO_ORIGINS)
def test_what_is_no_origin_gets_a_sentence(database: Flask, site: str, typed: str) -> None:
    with transaction() as session, pytest.raises(Invalid) as refused:
        change_site(session, "shop", {"allowed_origins": [typed]})
    [(field, sentences)] = refused.value.errors.items()
    assert field == "allowed_origins.0"
    assert all(sentence.startswith("Please give ") for sentence in sentences)


def test_an_origin_an_older_version_stored_is_understood(
    client: FlaskClient, database: Flask, site: str
) -> None:
    with transaction() as session:
        find_site(session, "shop").allowed_origins = ["https://münchen.example", "https://ü..x"]
    page = client.get("/widget/shop")
    assert page.status_code == 200
    assert page.headers["Content-Security-Policy"].endswith(
        "frame-ancestors https://xn--mnchen-3ya.example"
    )
    assert start(client, "https://xn--mnchen-3ya.example/").status_code == 201
    with transaction() as session:
        find_site(session, "shop").allowed_origins = ["https://ü..x"]
    page = client.get("/widget/shop")
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")
    assert start(client, "https://anything.example/").status_code == 403


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_whatever_page_a_visitor_names_the_chat_answers(
    client: FlaskClient, site: str, strange: str
) -> None:
    addresses = (
        strange,
        f"https://{strange}",
        f"https://{strange}.example/{strange}?utm_source={strange}",
    )
    for url in addresses:
        answer = start(client, url[:2000], referrer=url[:2000], title=strange, first_url=url[:2000])
        assert answer.status_code in (201, 422), answer.text


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_a_header_of_any_bytes_is_answered(client: FlaskClient, site: str, strange: str) -> None:
    make_user()
    sign_in(client)
    value = strange.encode("utf-8", "surrogateescape").decode("latin-1").replace("\r\n", " ")
    names = (
        "HOST", "ORIGIN", "REFERER", "USER_AGENT", "ACCEPT_LANGUAGE", "AUTHORIZATION", "X_API_KEY",
        "IF_NONE_MATCH", "LAST_EVENT_ID", "X_FORWARDED_HOST", "X_FORWARDED_FOR", "RANGE", "ACCEPT",
    )  # fmt: skip
    for name in names:
        for path in (
            "/sessions",
            "/leads?q=x",
            "/widget/shop",
            "/api/v1/sessions",
            "/login?next=/ü",
        ):
            answer = client.get(path, environ_overrides={f"HTTP_{name}": value})
            assert answer.status_code < 500, (name, path, answer.text[:200])
            for _, sent in answer.headers:
                sent.encode("latin-1")


@pytest.mark.parametrize("strange", STRANGE, ids=range(len(STRANGE)))
def test_a_redirect_to_any_page_is_a_header(client: FlaskClient, site: str, strange: str) -> None:
    make_user()
    path = "/sessions?q=" + quote(strange, errors="surrogateescape")
    answer = client.get(path)
    assert answer.status_code in (302, 400)
    answer.headers.get("Location", "").encode("ascii")
    sign_in(client)
    assert client.get(f"{path}&cursor={quote(strange, errors='surrogateescape')}").status_code < 500


@pytest.mark.parametrize(
    "name", ["PUBLIC_URL", "N8N_LEAD_WEBHOOK_URL", "N8N_CHAT_URL", "OPENAI_BASE_URL"]
)
def test_a_setting_with_such_a_host_starts_or_says_why_not(name: str, tmp_path: Any) -> None:
    env = {"SECRET_KEY": "x" * 40, name: "https://münchen.example/ü"}
    assert Settings.load(env, instance_path=tmp_path)
    for wrong in ("https://ü..example", "https://" + "ü" * 70 + ".example/"):
        with pytest.raises(ConfigError, match=name):
            Settings.load({**env, name: wrong}, instance_path=tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "http://ü.invalid/ü?ü=ü",
        "http://" + "a" * 60 + ":8080/",
        "http://" + "ü" * 70 + "/",
        "http://ü..example/",
        "http://ü.invalid:99999/",
        "http://\u202e.invalid/",
        "http://*.example/",
        "http://[ü]/",
    ],
)
def test_a_call_to_any_host_ends_in_an_outbound_error(url: str) -> None:
    with pytest.raises(http.OutboundError):
        http.send("GET", url, total_seconds=2, may_reach=lambda address: False)
    with (
        pytest.raises(http.OutboundError),
        http.stream("GET", url, deadline=time.monotonic() + 2, may_reach=lambda address: False),
    ):
        pass


def test_link_hosts_are_shown_in_their_own_letters(
    client: FlaskClient, database: Flask, site: str
) -> None:
    with transaction() as session:
        change_site(
            session,
            "shop",
            {
                "link_hosts": ["https://Müller.example/x", "www.example.com"],
                "chat_url": "https://n8n.münchen.example/webhook/1/chat",
            },
        )
        assert (
            _stored(find_site(session, "shop"))["link_hosts"] == "müller.example\nwww.example.com"
        )
    page = client.get("/widget/shop").text
    hosts = re.findall(r'data-link-hosts="([^"]*)"', page)[0].split()
    assert hosts == ["xn--mller-kva.example", "müller.example", "www.example.com"]
