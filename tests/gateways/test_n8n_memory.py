"""Every form of a row of N8n's chat memory, and what nobody should write but somebody will."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from app.gateways.n8n_memory import MemoryLine, Unreadable, read, table_name

FORMS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "n8n_memory_rows.json").read_text()
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["name"])
def test_a_row_says_what_it_says(form: dict[str, Any]) -> None:
    written = json.dumps(form["message"])
    if "unreadable" in form:
        with pytest.raises(Unreadable, match=form["unreadable"]):
            read(written)
    elif form["line"] is None:
        assert read(written) is None
    else:
        assert read(written) == MemoryLine(**form["line"])


@pytest.mark.parametrize(
    "written",
    [
        "",
        "not json",
        "{",
        '"',
        "[" * 200_000,
        '{"type":"human","content":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"type":"human","content":' + "9" * 10_000 + "}",
        '{"type":"ai","content":{"type":{"type":"text"}}}',
        '{"type":["human"],"content":"a"}',
        '{"lc":1,"id":"HumanMessage","kwargs":{"content":"a"}}',
        '{"lc":1,"id":[["HumanMessage"]],"kwargs":{"content":"a"}}',
        '{"type":"generic","role":["user"],"content":"a"}',
        '{"type":"ai","content":[[["a"]]]}',
        '{"type":"ai","content":[null]}',
        '{"type":"ai","content":"' + "x" * 17_000_000 + '"}',
    ],
    ids=lambda written: written[:40],
)
def test_what_cannot_be_read_says_so_and_nothing_else_happens(written: str) -> None:
    with pytest.raises(Unreadable):
        read(written)


def test_no_change_of_a_row_raises_anything_but_unreadable() -> None:
    chance = random.Random(5)
    strange = (None, 0, 1.5, True, "", "x", [], {}, [None], {"type": None}, [[]], "human")

    def spoil(value: Any) -> Any:
        if chance.random() < 0.15:
            return chance.choice(strange)
        if isinstance(value, dict):
            return {
                key if chance.random() > 0.05 else "x": spoil(each) for key, each in value.items()
            }
        return [spoil(each) for each in value] if isinstance(value, list) else value

    for _ in range(300):
        for form in FORMS:
            written = json.dumps(spoil(form["message"]))
            try:
                line = read(written[: len(written) - chance.choice((0, 0, 0, 1, 5))])
            except Unreadable:
                continue
            assert line is None or (line.text and line.role)


def test_what_a_database_cannot_hold_is_left_out() -> None:
    assert read('{"type":"human","content":"a\\u0000b \\ud800c"}') == MemoryLine("visitor", "ab ?c")


def test_nothing_of_the_used_tools_is_left_whatever_they_say() -> None:
    chance = random.Random(7)
    for _ in range(2000):
        said = "".join(chance.choice(' "\\[]{}a,:') for _ in range(30))
        message = {
            "type": "ai",
            "content": f"[Used tools: Tool: crm, Input: {json.dumps({'q': said})}, "
            f"Result: {json.dumps([said, 'PROMISE'])}] Answer.",
        }
        assert read(json.dumps(message)) == MemoryLine("assistant", "Answer.")


@pytest.mark.parametrize("padding", ["", "]", "] ", "[", '"', '\\"', '"]', "[[", "]]"])
def test_a_tool_that_writes_brackets_as_it_likes_leaves_no_promise(padding: str) -> None:
    text = f"[Used tools: Tool: a, Input: {{}}, Result: {padding} within 24 hours] Hello."
    try:
        line = read(json.dumps({"type": "ai", "content": text}))
    except Unreadable:
        return
    assert line is None or "24" not in line.text


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("n8n_chat_histories", "n8n_chat_histories"),
        (" Chats ", "chats"),
        ("N8n.Chats$1", "n8n.chats$1"),
        ("public.chats", "chats"),
    ],
)
def test_a_tables_name_is_the_one_n8n_makes(typed: str, name: str) -> None:
    assert table_name(typed) == name


@pytest.mark.parametrize("typed", ["", "1a", 'a"b', "a.b.c", "a b", "a;drop table b", ".a", "é"])
def test_what_is_no_tables_name_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        table_name(typed)


def test_what_a_model_thought_aloud_is_no_part_of_its_line() -> None:
    content = "<think>The user wants a kitchen.</think>\n\nWe do kitchens."
    written = json.dumps({"type": "ai", "content": content})
    assert read(written) == MemoryLine("assistant", "We do kitchens.")
