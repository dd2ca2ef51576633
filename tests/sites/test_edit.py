"""Sites are made and changed from the command line, with a sentence for every wrong value."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import db
from app.core.errors import Conflict, Invalid, NotFound
from app.models import Site
from app.sites.demo import ensure_demo_site
from app.sites.edit import change_site, create_site


def test_the_first_start_makes_the_demo_site_once(session: Session) -> None:
    demo = ensure_demo_site(session)
    assert demo is not None
    assert (demo.key, demo.region, demo.allowed_origins) == ("demo", "GB", [])
    assert [field["key"] for field in demo.fields] == ["name", "service", "email", "phone"]
    assert demo.consent["mode"] == "line"
    assert ensure_demo_site(session) is None


def test_a_site_is_made_and_changed(session: Session) -> None:
    create_site(session, "my-site")
    before = session.scalars(select(Site.updated_at)).one()
    change_site(session, "my-site", {"name": "Mine", "allowed_origins": ["https://a.example/"]})
    site = session.scalars(select(Site)).one()
    assert (site.name, site.allowed_origins) == ("Mine", ["https://a.example"])
    assert site.updated_at > before


def test_a_key_is_taken_once(session: Session) -> None:
    create_site(session, "twice")
    with pytest.raises(Conflict):
        create_site(session, "twice")


def test_an_unknown_site_cannot_be_changed(session: Session) -> None:
    with pytest.raises(NotFound):
        change_site(session, "nobody", {"name": "x"})


@pytest.mark.parametrize(
    "values",
    [
        {"region": "XX"},
        {"region": "gb"},
        {"timezone": "Mars/Olympus"},
        {"colour": "red"},
        {"position": "top"},
        {"allowed_origins": ["example.com"]},
        {"allowed_origins": ["https://a.example/path"]},
        {"allowed_origins": ["https://a.example; script-src *"]},
        {"allowed_origins": ["https://[bad"]},
        {"allowed_origins": ["https://a.example:99999"]},
        {"greeting": "a\x1bb"},
        {"phrases": ["booked\x00"]},
        {"phrases": []},
        {"phrases": ["x" * 301]},
        {"phrases": [f"phrase {n}" for n in range(101)]},
        {"exclusions": ["x" * 301]},
        {"exclusions": [""]},
        {"exclusions": [f"not {n}" for n in range(101)]},
        {"memory_table": "a b"},
        {"memory_table": 'a"; DROP TABLE sites'},
        {"partial_after_minutes": "-1"},
        {"partial_after_minutes": "43201"},
        {"partial_after_minutes": "soon"},
        {"phrases": ["\u200b"]},
        {"fields": [{"key": "Name", "question": "?"}]},
        {"fields": [{"key": "a", "question": "?", "type": "choice"}]},
        {"fields": [{"key": "a", "question": "?"}, {"key": "a", "question": "?"}]},
        {"consent": {"mode": "line"}},
        {"consent": {"mode": "maybe"}},
        {"assistant": "oracle"},
        {"hello": "world"},
    ],
)
def test_a_wrong_value_is_refused_by_field(session: Session, values: dict[str, object]) -> None:
    create_site(session, "strict")
    with pytest.raises(Invalid) as refused:
        change_site(session, "strict", values)
    [field] = values
    assert all(name.partition(".")[0] == field for name in refused.value.errors)


def test_the_commands_speak_in_sentences(database: Flask) -> None:
    run = database.test_cli_runner().invoke
    assert run(args=["sites", "create", "shop"]).exit_code == 0
    changed = run(args=["sites", "set", "shop", "name=Our Shop", 'phrases=["see you soon"]'])
    assert changed.exit_code == 0, changed.output
    refused = run(args=["sites", "set", "shop", "region=Mars"])
    assert refused.exit_code == 1
    assert "country of two letters" in refused.output
    unknown = run(args=["sites", "set", "shop", "hello=world"])
    assert unknown.output.strip() == "Error: hello: Unknown field."
    site = db.session.scalars(select(Site)).one()
    assert (site.name, site.phrases) == ("Our Shop", ["see you soon"])


def test_exclusions_memory_table_and_idle_minutes_are_set_from_the_command_line(
    database: Flask,
) -> None:
    runner = database.test_cli_runner()
    assert runner.invoke(args=["sites", "create", "mine"]).exit_code == 0
    settings = ['exclusions=["not"]', "memory_table=chats.n8n_chat", "partial_after_minutes=0"]
    done = runner.invoke(args=["sites", "set", "mine", *settings])
    assert done.exit_code == 0, done.output
    with database.app_context():
        site = db.session.scalars(select(Site)).one()
        assert (site.exclusions, site.memory_table) == (["not"], "chats.n8n_chat")
        assert site.partial_after_minutes == 0
    wrong = runner.invoke(args=["sites", "set", "mine", "partial_after_minutes=soon"])
    assert wrong.exit_code != 0
    assert "whole minutes" in wrong.output
