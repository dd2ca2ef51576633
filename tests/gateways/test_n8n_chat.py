"""What N8n's chat may answer, whole or streamed, and what of it a visitor is told."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from app.core import networks
from app.core.networks import may_be_typed
from app.gateways.n8n_chat import Answered, Chat, NoAnswerError, ask
from tests.fakes.n8n_chat import Workflow, running_workflow
from tests.fakes.n8n_protocol import BEGIN, END, Script, event, item, round_of, streamed, whole

SESSION = str(uuid.uuid4())
TOLD = {"site": {"key": "harbour"}}


@pytest.fixture
def n8n() -> Iterator[Workflow]:
    with running_workflow() as workflow:
        yield workflow


def answered(
    n8n: Workflow, script: Script | None = None, seconds: float = 20
) -> tuple[list[str], Answered]:
    """The pieces that came, and the whole."""
    if script:
        n8n.then.append(script)
    now = time.monotonic()
    *pieces, end = ask(
        Chat(n8n.url), SESSION, "Hi", TOLD, first_word_at=now + seconds, whole_at=now + seconds
    )
    assert isinstance(end, Answered)
    assert "".join(map(str, pieces)) == end.text
    return [str(piece) for piece in pieces], end


def text_of(n8n: Workflow, script: Script) -> str:
    return answered(n8n, script)[1].text


def test_the_request_is_what_a_chat_trigger_takes(n8n: Workflow) -> None:
    now = time.monotonic()
    chat = Chat(n8n.url, {"X-Key": "abc"})
    list(ask(chat, SESSION, "Grüezi 👋", TOLD, first_word_at=now + 5, whole_at=now + 5))
    assert n8n.requests == [
        {
            "action": "sendMessage",
            "sessionId": SESSION,
            "chatInput": "Grüezi 👋",
            "metadata": TOLD,
        }
    ]
    (headers,) = n8n.headers
    assert (headers["content-type"], headers["x-key"]) == ("application/json", "abc")


@pytest.mark.parametrize(
    "body",
    [
        {"output": "Hi"},
        {"text": "Hi"},
        {"message": "Hi"},
        {"message": {"type": "text", "text": "Hi"}},
        [{"output": "Hi"}, {"output": "More"}],
        {"output": "Hi", "text": "no", "message": "no"},
        {"output": None, "text": "Hi"},
        {"output": "Hi", "error": "no"},
        {"output": {"output": "Hi"}},
        {"output": '{"output": "Hi"}'},
        {"output": '```json\n{"output": "Hi"}\n```'},
        {"output": [{"type": "text", "text": "H"}, {"type": "text", "text": "i"}]},
        b'{\n  "output": "Hi"\n}\n',
        b'\n\n{"output": "Hi"}\n',
        b'\xef\xbb\xbf{"output": "Hi"}',
        {"type": "text", "text": "Hi"},
    ],
)
def test_every_form_of_a_whole_answer_is_read(n8n: Workflow, body: Any) -> None:
    assert text_of(n8n, whole(body)) == "Hi"


@pytest.mark.parametrize(
    "script",
    [
        streamed("Hi"),
        streamed("", "H", "i"),
        streamed(" ", "\n", "Hi"),
        Script((*round_of(), *round_of("H", "i"), b"\n")),
        Script((b"\n", b"\r\n", *round_of("Hi"), b"\n\n")),
        Script((item("Hi"),)),
        Script((item("Hi").rstrip(),)),
        Script((BEGIN, item("H"), event("tool-call", "x"), item("i"), END)),
        Script((event("node-start"), *round_of("Hi"))),
        Script((*round_of("Hi"), *round_of("\n "))),
        Script((*round_of(None, "Hi"),)),
        streamed('{"output": "Hi"}'),
        streamed('{"outp', 'ut": ', '"Hi"}'),
        streamed("`", "``json\n", '{"output": "Hi"}', "\n```"),
        streamed({"output": "Hi"}),
        streamed([{"output": "Hi"}]),
        streamed('{"output": {"message": {"type": "text", "text": "Hi"}}}'),
    ],
)
def test_every_form_of_a_streamed_answer_is_read(n8n: Workflow, script: Script) -> None:
    assert text_of(n8n, script) == "Hi"


@pytest.mark.parametrize(
    "words", ["[picture]", "{not JSON}", "`", "``x``", "{", "[see](https://example.com)"]
)
def test_what_only_looks_like_data_at_first_is_said_as_it_is(n8n: Workflow, words: str) -> None:
    assert text_of(n8n, streamed(*words)) == words
    assert text_of(n8n, streamed(words, " and more")) == f"{words} and more"


def test_pieces_come_as_they_are_said(n8n: Workflow) -> None:
    pieces, _ = answered(
        n8n, Script((BEGIN, item("You "), 0.2, item("said: "), 0.2, item("Hi"), END))
    )
    assert pieces == ["You ", "said: ", "Hi"]


def test_words_of_several_rounds_are_parted_by_a_blank_line(n8n: Workflow) -> None:
    script = Script((*round_of("Let me ", "look."), *round_of(), *round_of("\nWe open", " at 9.")))
    assert text_of(n8n, script) == "Let me look.\n\nWe open at 9."


THOUGHT = "<think>The user wants\na kitchen.</think>\n\n"


@pytest.mark.parametrize(
    "script",
    [
        whole({"output": f"{THOUGHT}We do kitchens."}),
        whole({"output": f'{THOUGHT}{{"output": "We do kitchens."}}'}),
        whole({"output": "The user wants\na kitchen.</think>\n\nWe do kitchens."}),
        streamed(*f"{THOUGHT}We do kitchens."),
        streamed(f"{THOUGHT}We do", " kitchens."),
        Script((*round_of(THOUGHT), *round_of(THOUGHT, "We do ", "kitchens."))),
        Script((*round_of("<think>Hm"), *round_of("We do kitchens."))),
    ],
)
def test_what_a_model_thinks_aloud_is_not_said(n8n: Workflow, script: Script) -> None:
    assert text_of(n8n, script) == "We do kitchens."


def test_a_round_of_data_after_a_round_of_words_is_read(n8n: Workflow) -> None:
    data = '{"output": "At 9.", "lead": {"name": "Ann"}}'
    _, end = answered(n8n, Script((*round_of("Let me look."), *round_of(data))))
    assert (end.text, end.lead) == ("Let me look.\n\nAt 9.", {"name": "Ann"})


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_an_answer_may_be_cut_anywhere_on_its_way(n8n: Workflow, size: int) -> None:
    words = "Grüße 👋, 見積もり"
    for body in (
        b"".join(round_of(words[:4], words[4:])),
        b'[{"output": "' + words.encode() + b'"}]',
    ):
        cut = tuple(body[at : at + size] for at in range(0, len(body), size))
        assert text_of(n8n, Script(cut)) == words


def test_a_character_whose_halves_come_apart_is_whole_again(n8n: Workflow) -> None:
    halves = (
        b'{"type":"item","content":"Hi \\ud83d"}\n',
        b'{"type":"item","content":"\\udc4b!"}\n',
    )
    pieces, end = answered(n8n, Script((BEGIN, halves[0], 0.1, halves[1], END)))
    assert (pieces, end.text) == (["Hi ", "👋!"], "Hi 👋!")


STRUCTURED = {"output": "And your e-mail?", "lead": {"name": "Ann", "x": 1}, "asks_for": "email"}


@pytest.mark.parametrize(
    "script",
    [
        whole(STRUCTURED),
        whole([STRUCTURED]),
        whole({"output": STRUCTURED}),
        whole({"output": json.dumps(STRUCTURED)}),
        whole({"output": json.dumps({"output": STRUCTURED})}),
        streamed(json.dumps(STRUCTURED)),
        streamed(*json.dumps(STRUCTURED)),
        streamed(STRUCTURED),
    ],
)
def test_what_a_structured_answer_tells_is_kept(n8n: Workflow, script: Script) -> None:
    _, end = answered(n8n, script)
    assert end == Answered("And your e-mail?", {"name": "Ann", "x": 1}, "email")


@pytest.mark.parametrize("asks_for", [None, "", " ", 4, ["email"]])
def test_who_asks_for_nothing_asks_for_nothing(n8n: Workflow, asks_for: Any) -> None:
    _, end = answered(n8n, whole({"output": "Hi", "lead": ["Ann"], "asks_for": asks_for}))
    assert end == Answered("Hi")


def test_the_first_words_limit_ends_with_the_first_word(n8n: Workflow) -> None:
    n8n.then.append(Script((BEGIN, item("Hi"), 0.6, item(" there"), END)))
    now = time.monotonic()
    parts = ask(Chat(n8n.url), SESSION, "Hi", {}, first_word_at=now + 0.4, whole_at=now + 5)
    assert list(parts)[-1] == Answered("Hi there")


def test_who_stops_listening_hangs_up(n8n: Workflow) -> None:
    n8n.then.append(Script((BEGIN, item("Hi"), "hang")))
    now = time.monotonic()
    parts = ask(Chat(n8n.url), SESSION, "Hi", {}, first_word_at=now + 5, whole_at=now + 5)
    assert next(parts) == "Hi"
    assert n8n.open == 1
    parts.close()
    while n8n.open:
        assert time.monotonic() < now + 4
        time.sleep(0.02)


def test_a_typed_address_leads_to_no_inner_network(n8n: Workflow) -> None:
    now = time.monotonic()
    chat = Chat(n8n.url, may_reach=may_be_typed)
    with pytest.raises(NoAnswerError) as caught:
        list(ask(chat, SESSION, "Hi", {}, first_word_at=now + 5, whole_at=now + 5))
    assert (caught.value.kind, caught.value.detail) == ("unreachable", "forbidden")
    networks.configure(("127.0.0.0/8",))
    try:
        parts = ask(chat, SESSION, "Hi", {}, first_word_at=now + 5, whole_at=now + 5)
        assert list(parts)[-1] == Answered("Hello from N8n.")
    finally:
        networks.configure(())
    assert len(n8n.requests) == 1
