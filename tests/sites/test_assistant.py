"""A site's assistant is set by its settings' own names; secrets are sealed and never go astray."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core import networks
from app.core.crypto import seal, unseal
from app.core.db import db
from app.core.errors import Invalid
from app.models import Site
from app.models.assistant_settings import SETTING_NAMES, AssistantSettings
from app.sites.chat_access import access_kind, is_readable
from app.sites.edit import change_site, proposed
from tests.factories import make_site
from tests.sites.typed import CHAT, TYPED


@pytest.fixture
def site(session: Session) -> Site:
    made: Site = make_site(session, key="harbour")
    return made


def change(session: Session, **values: Any) -> AssistantSettings:
    change_site(session, "harbour", values)
    session.expire_all()
    site = session.query(Site).filter_by(key="harbour").one()
    return AssistantSettings.from_json(site.assistant_settings)


def refused(session: Session, **values: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as error:
        change_site(session, "harbour", values)
    return dict(error.value.errors)


def test_every_setting_is_set_by_its_name(session: Session, site: Site) -> None:
    ai = change(session, assistant="n8n", **TYPED, chat_header_value="secret")
    assert set(SETTING_NAMES) == {*TYPED, "chat_header_sealed"}
    told = ai.to_json() | {"chat_header_sealed": unseal(ai.chat_header_sealed)}
    assert told == {
        **{name: getattr(ai, name) for name in ("chat_url", "model", "tone", "instructions")},
        "chat_header_name": "X-Api-Key",
        "chat_header_sealed": "secret",
        "business": "Kitchens.\nBaths.",
        "first_word_seconds": 9,
        "answer_seconds": 41,
        "history_tokens": 2000,
        "answer_tokens": 300,
        "price_in": 0.15,
        "price_out": 0.6,
        "session_turns": 20,
        "session_tokens": 30_000,
        "session_money": 0.25,
        "day_turns": 1000,
        "day_tokens": 4_000_000,
        "day_money": 7.5,
        "link_hosts": ("www.example.com", "xn--mnch-0ra.example"),
    }
    assert (ai.chat_url, ai.tone) == (CHAT, "Dry.")


def test_only_what_differs_from_the_defaults_is_stored(session: Session, site: Site) -> None:
    change(session, day_money="3", session_turns="60", tone="Friendly and brief.")
    assert site.assistant_settings == {"day_money": 3.0}
    change(session, day_money="20")
    assert site.assistant_settings == {}


def test_what_is_left_out_stays(session: Session, site: Site) -> None:
    change(session, business="Kitchens", day_turns="7")
    ai = change(session, day_turns="8")
    assert (ai.business, ai.day_turns) == ("Kitchens", 8)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("assistant", "openai_compatible", "scripted, n8n, openai"),
        ("first_word_seconds", "0", "from 1 to 60"),
        ("first_word_seconds", "soon", "from 1 to 60"),
        ("answer_seconds", "999", "from 2 to 120"),
        ("answer_seconds", "2.5", "from 2 to 120"),
        ("answer_seconds", "3", "the first word comes before the end"),
        ("session_tokens", "10", "from 2,000"),
        ("day_tokens", "5,0000", "whole number"),
        ("session_money", "0", "from 0.01"),
        ("day_money", "nan", "like 2.50"),
        ("price_in", "-1", "like 2.50"),
        ("price_out", "1e999", "like 2.50"),
        ("day_turns", str(10**400), "from 1"),
        ("business", "x" * 4001, "at most 4,000"),
        ("tone", "bell\x07", "control characters"),
        ("model", "two words", "no spaces"),
        ("chat_url", "n8n.example.com/chat", "whole address"),
        ("chat_url", "ftp://n8n.example.com", "whole address"),
        ("chat_url", "https://[bad", "whole address"),
        ("chat_url", "https://a b.example/", "whole address"),
        ("chat_url", "https://ann:secret@n8n.example.com", "fields of their own"),
        ("chat_access", "token", "none, header, basic"),
        ("chat_header_name", "X Key", "like X-Api-Key"),
        ("chat_header_name", "X-Key\n", "control"),
        ("chat_header_name", "Content-length", "taken"),
        ("chat_header_value", "a\nb", "plain characters"),
        ("chat_header_value", "clé", "plain characters"),
        ("chat_user", "a:b", "no colon"),
        ("link_hosts", ["*.example.com"], "host"),
        ("link_hosts", ["a b"], "host"),
        ("link_hosts", [f"h{n}.example" for n in range(51)], "at most 50"),
        ("chat_header_sealed", "x", "Unknown field"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_words_and_nothing_changes(
    session: Session, site: Site, name: str, value: object, said: str
) -> None:
    errors = refused(session, **{"name": "Other", name: value})
    (told,) = [" ".join(sentences) for key, sentences in errors.items() if key.startswith(name)]
    if said != "control":
        assert said in told
    assert (site.name, site.assistant_settings) == ("Harbour & Oak", {})


def test_money_must_do_for_one_answer(session: Session, site: Site) -> None:
    prices = {"price_in": "10", "price_out": "40"}
    errors = refused(session, **prices, session_money="0.19", day_money="0.19")
    assert errors.keys() == {"session_money", "day_money"}
    assert "Use 0.20 or more" in errors["day_money"][0]
    assert change(session, **prices, session_money="0.2", day_money="0.2").day_money == 0.2
    assert change(session, price_in="0", price_out="0", day_money="0.01").day_money == 0.01


def test_tokens_must_do_for_one_answer(session: Session, site: Site) -> None:
    told = ["Use 4800 or more: one answer can take that."]
    errors = refused(session, session_tokens="4799", day_tokens="4799")
    assert errors == {"session_tokens": told, "day_tokens": told}


def test_a_user_name_and_password_become_a_header(session: Session, site: Site) -> None:
    ai = change(session, chat_url=CHAT, chat_user="ann", chat_password="päss:word")
    assert ai.chat_header_name == "Authorization"
    assert unseal(ai.chat_header_sealed) == "Basic YW5uOnDDpHNzOndvcmQ="


def test_a_secret_is_stored_sealed_only(session: Session, site: Site) -> None:
    change(session, chat_url=CHAT, chat_header_name="X-Key", chat_header_value="hush-hush")
    stored = session.scalar(text("SELECT assistant_settings::text FROM sites"))
    assert stored
    assert "hush" not in stored


def test_leaving_a_secret_empty_keeps_it(session: Session, site: Site) -> None:
    change(session, chat_url=CHAT, chat_header_name="X-Key", chat_header_value="hush")
    kept = change(
        session,
        chat_url=f"{CHAT}/other",
        chat_access="header",
        chat_header_name="X-Key",
        chat_header_value="",
        chat_user="",
        chat_password="",
    )
    assert unseal(kept.chat_header_sealed) == "hush"
    change(session, chat_user="ann", chat_password="pass")
    kept = change(session, chat_access="basic", chat_header_name="", chat_user="", chat_password="")
    assert (kept.chat_header_name, unseal(kept.chat_header_sealed)) == (
        "Authorization",
        "Basic YW5uOnBhc3M=",
    )


@pytest.mark.parametrize("values", [{"chat_access": "none"}, {"chat_header_name": ""}])
def test_a_secret_can_be_removed(session: Session, site: Site, values: dict[str, str]) -> None:
    change(session, chat_url=CHAT, chat_header_name="X-Key", chat_header_value="hush")
    ai = change(session, **values)
    assert (ai.chat_header_name, ai.chat_header_sealed) == ("", "")


def test_a_secret_is_not_sent_to_another_host(session: Session, site: Site) -> None:
    change(session, chat_url=CHAT, chat_header_name="X-Key", chat_header_value="hush")
    for url in ("https://evil.example/chat", "http://n8n.example.com/webhook/1/chat"):
        assert "another host" in refused(session, chat_url=url)["chat_header_value"][0]
    with pytest.raises(Invalid):
        proposed(site, {"chat_url": "https://evil.example/chat", "chat_access": "header"})
    ai = change(session, chat_url="https://new.example/chat", chat_header_value="new")
    assert unseal(ai.chat_header_sealed) == "new"


def test_a_secret_goes_with_its_address(session: Session, site: Site) -> None:
    change(session, chat_url=CHAT, chat_header_name="X-Key", chat_header_value="hush")
    ai = change(session, chat_url="", chat_access="header", chat_header_name="X-Key")
    assert (ai.chat_url, ai.chat_header_name, ai.chat_header_sealed) == ("", "", "")
    typed = {"chat_header_name": "X-Key", "chat_header_value": "hush"}
    assert "chat_url" in refused(session, **typed)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[fd00::1]", "[::ffff:10.0.0.1]",
     "localhost", "a.localhost", "127.1", "0x7f000001", "2130706433"],
)  # fmt: skip
def test_an_address_that_plainly_leads_inside_is_refused_at_once(
    session: Session, site: Site, host: str
) -> None:
    url = f"http://{host}:5678/webhook/1/chat"
    assert "not public" in refused(session, chat_url=url)["chat_url"][0]
    networks.configure(["0.0.0.0/0", "::/0"])
    try:
        assert change(session, chat_url=url).chat_url == url
    finally:
        networks.configure([])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"chat_access": "header"}, "chat_header_name"),
        ({"chat_access": "header", "chat_header_name": "X-Key"}, "chat_header_value"),
        ({"chat_header_value": "x"}, "chat_header_name"),
        ({"chat_access": "basic"}, "chat_user"),
        ({"chat_user": "ann"}, "chat_password"),
        ({"chat_password": "x"}, "chat_user"),
    ],
)
def test_half_an_access_is_refused(
    session: Session, site: Site, values: dict[str, str], field: str
) -> None:
    assert field in refused(session, chat_url=CHAT, **values)


def test_another_headers_secret_is_not_taken_for_this_one(session: Session, site: Site) -> None:
    change(session, chat_url=CHAT, chat_user="ann", chat_password="pass")
    values = {"chat_access": "header", "chat_header_name": "X-Key", "chat_header_value": ""}
    assert "chat_header_value" in refused(session, **values)


def test_settings_can_be_looked_at_without_changing_the_site(session: Session, site: Site) -> None:
    profile = proposed(site, {"assistant": "n8n", "chat_url": CHAT, "link_hosts": ["a.example"]})
    assert (profile.assistant, profile.ai.chat_url) == ("n8n", CHAT)
    assert "a.example" in profile.link_hosts
    session.flush()
    assert not session.dirty
    assert not session.new
    assert (site.assistant, site.assistant_settings) == ("scripted", {})


def test_a_change_is_announced_to_open_pages(session: Session, site: Site) -> None:
    change_site(session, "harbour", {"assistant": "n8n"})
    assert session.info["announced"] == {"sites": {str(site.id)}}
    session.info.clear()


def test_the_command_line_sets_them_too(app: Flask, database: Flask) -> None:
    run = app.test_cli_runner().invoke
    assert run(args=["sites", "create", "harbour"]).exit_code == 0
    told = run(
        args=["sites", "set", "harbour", "assistant=n8n", f"chat_url={CHAT}", "day_money=3",
              "chat_user=ann", "chat_password=p=ss", 'link_hosts=["a.example"]']
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert "p=ss" not in told.output
    with app.app_context():
        site = db.session.query(Site).one()
        ai = AssistantSettings.from_json(site.assistant_settings)
        assert (site.assistant, ai.day_money, ai.link_hosts) == ("n8n", 3.0, ("a.example",))
        assert unseal(ai.chat_header_sealed) == "Basic YW5uOnA9c3M="
        db.session.rollback()
    wrong = run(args=["sites", "set", "harbour", "day_money=much"])
    assert wrong.exit_code != 0
    assert "like 2.50" in wrong.output


def test_what_was_sealed_with_a_lost_key_is_said_to_be_unreadable() -> None:
    lost = AssistantSettings(chat_header_name="X-Key", chat_header_sealed="gAAAAAB")
    assert not is_readable(lost)
    assert access_kind(lost) == "header"
    assert is_readable(AssistantSettings(chat_header_name="X", chat_header_sealed=seal("x")))
