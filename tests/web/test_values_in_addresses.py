"""A value from outside that is put into an address is one part of it, on every page and email."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import transaction
from app.leads.emails import find_emails, read_email
from app.models import ChatSession
from app.web.template_output import email_href, phone_href
from tests import nasty
from tests.factories import make_chat, make_lead, make_message, make_site
from tests.reporting.test_deliveries import make_attempt, make_delivery
from tests.web.signed_in import make_user, sign_in

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
ADDRESS_ATTRIBUTES = (
    "href",
    "src",
    "action",
    "formaction",
    "poster",
    "cite",
    "srcset",
    "background",
)
#: Every expression that a template puts into such an attribute, and why it is one address.
TRUSTED = re.compile(
    r"url_for\(|asset_url\(|filters\.address\(|position\.(?:next_)?address\(|address\(page\.|more\(kind|"
    r"(?:email|phone)_href|^address$|^href$|^picture$|^path$|^link$|^each\.link$|^incident\.url$|^site\.key$|"
    r"^hits\[0\]$|^(?:move|entry\.event|item\.finding)\.message_id$|^other\.id$"
)


class Links(HTMLParser):
    """Every address of a page, with the attribute it stands in, and every attribute's name."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.names: set[str] = set()
        self.scripts = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script" and not dict(attrs).get("src")
        for name, value in attrs:
            self.names.add(name)
            if name in ADDRESS_ATTRIBUTES:
                self.found.append((name, value or ""))


def test_every_address_in_a_template_is_known() -> None:
    unknown = []
    for file in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text(encoding="utf-8"), flags=re.S)
        for name in ADDRESS_ATTRIBUTES:
            for attribute in re.findall(
                rf'\s{name}="((?:[^"{{]|\{{\{{.*?\}}\}}|\{{%.*?%\}})*)"', text
            ):
                for expression in re.findall(r"\{\{\s*(.*?)\s*\}\}", attribute):
                    if not TRUSTED.search(expression):
                        unknown.append((file.name, name, expression))
    assert unknown == []


@pytest.mark.parametrize("email", nasty.EMAILS)
def test_a_mail_link_has_one_receiver_and_nothing_else(email: str) -> None:
    href = email_href(email)
    assert href is not None
    parts = urlsplit(href)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("mailto", "", "", "")
    assert unquote(parts.path) == email
    assert parts.path.count("@") == 1
    assert not set(parts.path) & set(" ,;<>\"'&=\\")
    assert href.isascii()


@pytest.mark.parametrize(
    "text", ["", "ann", "@", "ann@", "@example.com", "a\n@example.com", "a@b\x00"]
)
def test_what_is_no_address_is_no_link(text: str) -> None:
    assert email_href(text) is None


@pytest.mark.parametrize("phone", nasty.PHONES)
def test_a_phone_link_dials_digits(phone: str) -> None:
    href = phone_href(phone)
    assert href is None or re.fullmatch(r"tel:\+?[0-9]{3,20}", href)


def test_no_link_for_what_dials_nothing() -> None:
    assert phone_href("javascript:alert(1)") is None
    assert phone_href("1++2") is None
    assert phone_href("+44 20 7946 0958") == "tel:+442079460958"


@pytest.mark.parametrize("number", range(len(nasty.EMAILS)))
def test_pages_hold_only_the_links_they_mean(
    database: Flask, client: FlaskClient, number: int
) -> None:
    """One lead made of nothing but such values, on every page that shows it."""
    email = nasty.EMAILS[number]
    page = nasty.ADDRESSES[number % len(nasty.ADDRESSES)]
    markup = nasty.MARKUP[number % len(nasty.MARKUP)]
    chat = fill(email, nasty.PHONES[number % len(nasty.PHONES)], page, markup)
    receivers = (email, "ann@example.com")  # the second one is a delivery's
    make_user()
    sign_in(client)
    paths = (
        "/sessions",
        "/leads",
        f"/sessions/{chat.id}",
        f"/qa/{chat.id}",
        "/deliveries",
        "/sites",
        "/audit",
    )
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        links = Links(answer.text)
        assert links.scripts == 0
        assert not {name for name in links.names if name.startswith("on")}
        for name, address in links.found:
            parts = urlsplit(address.strip())
            if parts.scheme == "mailto":
                assert (unquote(parts.path) in receivers, parts.query) == (True, ""), address
            elif parts.scheme == "tel":
                assert re.fullmatch(r"\+?[0-9]+", parts.path), address
            elif name == "href" and parts.scheme == "data":
                assert address.startswith("data:image/svg+xml,%3Csvg"), address
            else:
                assert parts.scheme in ("", "http"), address
                assert parts.netloc in ("", "localhost"), address


@pytest.mark.parametrize(
    "words", [*nasty.EMAILS, *nasty.ADDRESSES, *nasty.MARKUP, "a&b=c#d", "\u202ex"]
)
def test_a_search_is_one_value_of_every_link(
    client: FlaskClient, database: Flask, words: str
) -> None:
    fill("ann@example.com", "+442079460958", "https://a.example/", "Ann")
    make_user()
    sign_in(client)
    for path in ("/sessions", "/leads"):
        answer = client.get(path, query_string={"q": words.strip(), "has_contact": "yes"})
        assert answer.status_code == 200
        for _, address in Links(answer.text).found:
            query = parse_qs(urlsplit(address).query, keep_blank_values=True)
            assert "q" not in query or query["q"] == [words.strip()], address
            assert not set(query) & {"b", "bcc", "cc", "body", "subject", "y"}, address


@pytest.mark.parametrize(
    "typed", ["sales?bcc=spy%40evil.example@example.com", "a%26b@example.com", "a#b@example.com"]
)
def test_what_stands_in_an_address_bar_is_no_mailbox(typed: str) -> None:
    assert find_emails(f"Write to {typed} please") == []
    assert read_email(typed) is None


@pytest.mark.parametrize("typed", ["r&d@example.com", "o'brien@example.com", "a+b@example.com"])
def test_an_unusual_mailbox_is_one(typed: str) -> None:
    assert read_email(typed) == typed


def fill(email: str, phone: str, page: str, markup: str) -> ChatSession:
    with transaction() as session:
        site = make_site(session, name=f"Site {markup}")
        chat: ChatSession = make_chat(
            session, site, page_title=markup,
            attribution={"landing_url": page, "referrer": page, "utm_source": markup},
        )  # fmt: skip
        make_message(session, chat, text=f"{page} {markup} {email}")
        make_lead(
            session, chat, name=markup, email=email, phone=phone, company=page,
            qualification={"service": page, "budget": markup},
        )  # fmt: skip
        delivery = make_delivery(session, status="dead")
        make_attempt(session, delivery, error="status", status_code=500, answer=page + markup)
    return chat
