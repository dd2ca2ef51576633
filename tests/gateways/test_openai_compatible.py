"""One streaming call over real HTTP: what comes, and every way in which it does not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.gateways.chat_completion import Answered, ModelError, Server, ToolCall
from app.gateways.openai_compatible import ask
from tests.fakes.chat_completions import Calls, ChatCompletions, Says, running_chat_completions

KEY = "sk-secret-key"
SECRET = "ann@example.com"


@pytest.fixture
def model() -> Iterator[ChatCompletions]:
    with running_chat_completions() as server:
        yield server


def asked(
    url: str, *, first: float = 5, whole: float = 10, **options: Any
) -> tuple[str, list[str | Answered]]:
    """All the text, and all that was yielded."""
    now = time.monotonic()
    parts = list(
        ask(
            Server(url, KEY),
            "some-model",
            [{"role": "user", "content": SECRET}],
            answer_tokens=50,
            first_word_at=now + first,
            whole_at=now + whole,
            **options,
        )
    )
    return "".join(part for part in parts if isinstance(part, str)), parts


def failure(model: ChatCompletions, **options: Any) -> ModelError:
    """How it failed, without a word of anybody's in it. By default there is time enough."""
    with pytest.raises(ModelError) as caught:
        asked(model.url, **{"first": 20.0, "whole": 30.0, **options})
    for secret in (SECRET, KEY, "internal", "html"):
        assert secret not in f"{caught.value!r} {caught.value} {caught.value.__cause__}"
    return caught.value


def test_pieces_come_as_they_are_sent_and_the_end_says_what_it_took(model: ChatCompletions) -> None:
    model.script(Says("We open ", 0.05, "at ", "nine.", usage=(31, 7)))
    text, parts = asked(model.url)
    assert text == "We open at nine."
    assert parts[:-1] == ["We open ", "at ", "nine."]
    assert parts[-1] == Answered(usage=(31, 7))
    [request] = model.received
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body["stream"] is True
    assert request.body["stream_options"] == {"include_usage": True}
    assert request.body["max_tokens"] == 50
    assert "tools" not in request.body


def test_tool_calls_come_in_pieces_and_are_put_together(model: ChatCompletions) -> None:
    model.script(
        Says("One moment.", Calls("save", {"name": "Änn Lee"}), Calls("book", ""), usage=None)
    )
    tool = {"type": "function", "function": {"name": "save", "parameters": {"type": "object"}}}
    text, parts = asked(model.url, tools=[tool], may_call=False)
    assert text == "One moment."
    assert parts[-1] == Answered(
        (ToolCall("call_0", "save", '{"name": "Änn Lee"}'), ToolCall("call_1", "book", "")),
    )
    assert model.received[0].body["tools"] == [tool]
    assert model.received[0].body["tool_choice"] == "none"


def test_calls_that_are_all_numbered_0_are_told_apart_by_their_ids(model: ChatCompletions) -> None:
    begun = (
        b'data: {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "%s", '
        b'"function": {"name": "save", "arguments": "%s"}}]}}]}\n\n'
    )
    model.script(Says(begun % (b"a", b"1"), begun % (b"b", b"2"), finish="tool_calls"))
    assert asked(model.url)[1][-1] == Answered(
        (ToolCall("a", "save", "1"), ToolCall("b", "save", "2")), usage=(10, 5)
    )


def test_a_sign_that_is_cut_in_half_is_put_together_again(model: ChatCompletions) -> None:
    half = b'data: {"choices": [{"delta": {"content": "%s"}}]}\n\n'
    model.script(Says("Hi ", half % rb"\ud83d", half % rb"\ude00", " you ", half % rb"\ud83d", "!"))
    assert asked(model.url)[0] == "Hi 😀 you \ufffd!"


def test_an_answer_that_reached_its_limit_says_so(model: ChatCompletions) -> None:
    model.script(Says("We op", finish="length"))
    assert asked(model.url)[1][-1] == Answered(is_cut_short=True, usage=(10, 5))


def test_azures_way_is_known_by_its_address(model: ChatCompletions) -> None:
    asked(f"{model.url}/deployments/x?api-version=2026-01-01")
    [request] = model.received
    assert request.path == "/v1/deployments/x/chat/completions?api-version=2026-01-01"
    assert request.headers["api-key"] == request.headers["authorization"][7:] == KEY
    assert request.body["max_completion_tokens"] == 50
    assert Server("https://ann.openai.azure.com/openai/v1").is_azure
    assert Server().limit_name == "max_completion_tokens"


def test_a_server_of_ones_own_needs_no_key(model: ChatCompletions) -> None:
    now = time.monotonic()
    list(ask(Server(model.url), "m", [], answer_tokens=9, first_word_at=now + 5, whole_at=now + 5))
    assert "api-key" not in model.received[0].headers
    assert KEY not in repr(Server(model.url, KEY))


def test_a_slow_first_word(model: ChatCompletions) -> None:
    model.script(Says(60.0, "Hello"))
    assert failure(model, first=0.3).kind == "timeout"
    model.wait_until_hung_up()


def test_no_answer_at_all(model: ChatCompletions) -> None:
    model.script(Says(manner="hang"))
    assert failure(model, first=0.3).kind == "timeout"
    model.wait_until_hung_up()


def test_headers_that_drip(model: ChatCompletions) -> None:
    model.script(Says(manner="drip"))
    assert failure(model, first=0.3).kind == "timeout"
    model.wait_until_hung_up()


def test_a_body_that_drips_without_a_word(model: ChatCompletions) -> None:
    model.script(Says(*[b":", 0.05] * 200))
    assert failure(model, first=0.3).kind == "timeout"
    model.wait_until_hung_up()


def test_a_stall_in_mid_stream(model: ChatCompletions) -> None:
    model.script(Says("We open ", ending="stall"))
    error = failure(model, whole=1.5)
    assert (error.kind, error.has_begun) == ("timeout", True)
    model.wait_until_hung_up()


def test_the_first_word_in_time_gives_the_rest_its_own_time(model: ChatCompletions) -> None:
    model.script(Says("We ", 1.0, "open."))
    assert asked(model.url, first=0.5, whole=5)[0] == "We open."


def test_the_connection_is_cut(model: ChatCompletions) -> None:
    model.script(Says("We open ", ending="cut"))
    assert failure(model).kind == "cut_off"


def test_the_stream_ends_without_an_end(model: ChatCompletions) -> None:
    model.script(Says("We open ", ending="no_end"))
    assert failure(model).kind == "cut_off"


def test_an_error_in_the_stream(model: ChatCompletions) -> None:
    model.script(Says("We ", b'data: {"error": {"message": "internal ann@example.com"}}\n\n'))
    assert failure(model).kind == "broken"


def test_a_page_instead_of_an_answer(model: ChatCompletions) -> None:
    model.script(Says(headers={"Content-Type": "text/html"}, body=b"<html>internal</html>"))
    assert failure(model).kind == "garbage"


def test_an_empty_answer(model: ChatCompletions) -> None:
    model.script(Says(), Says(headers={"Content-Type": "text/event-stream"}, body=b"\n"))
    assert failure(model).kind == "empty"
    assert failure(model).kind == "cut_off"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(302, "broken"), (400, "broken"), (401, "refused"), (403, "refused"), (404, "missing")],
)
def test_an_answer_that_will_not_change_is_not_asked_for_again(
    model: ChatCompletions, status: int, kind: str
) -> None:
    model.otherwise = Says(
        status=status,
        body=b'{"error": {"message": "internal ann@example.com"}}',
        headers={"Location": "/elsewhere"},
    )
    error = failure(model)
    assert (error.kind, error.detail) == (kind, f"status {status}")
    assert len(model.received) == 1


@pytest.mark.parametrize(("status", "kind"), [(429, "busy"), (500, "broken"), (503, "busy")])
def test_what_may_pass_is_asked_once_more(model: ChatCompletions, status: int, kind: str) -> None:
    model.otherwise = Says(status=status, body=b"<html>internal</html>")
    error = failure(model)
    assert (error.kind, error.detail) == (kind, f"status {status}")
    assert len(model.received) == 2
    model.script(Says(status=status, body=b"internal"), Says("Hello."))
    assert asked(model.url)[0] == "Hello."


def test_who_asks_for_patience_is_not_pressed(model: ChatCompletions) -> None:
    model.otherwise = Says(status=429, body=b"later", headers={"Retry-After": "3"})
    assert failure(model).kind == "busy"
    assert len(model.received) == 1


def test_the_filter_of_the_other_side(model: ChatCompletions) -> None:
    model.script(
        Says(status=400, body=b'{"error": {"code": "content_filter", "message": "internal"}}'),
        Says("We ", finish="content_filter"),
    )
    assert failure(model).kind == "filtered"
    assert failure(model).kind == "filtered"


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: \xff\xfe\xfd\n\n",
        b"data: {broken\n\n",
        b"data: 7\n\n",
        b"data: [1]\n\n",
        b'data: {"choices": "no", "usage": 7}\n\n',
        b'data: {"choices": [{"delta": {"content": 7, "tool_calls": [7]}}]}\n\n',
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_garbage(model: ChatCompletions, garbage: bytes) -> None:
    model.script(Says(garbage, ending="no_end"))
    assert failure(model).kind in ("garbage", "cut_off")


def test_bytes_without_end(model: ChatCompletions) -> None:
    model.script(Says("word " * 50, ending="endless"))
    assert failure(model, most_bytes=200_000).kind == "too_big"
    model.wait_until_hung_up()


def test_words_that_are_still_coming_when_the_time_is_up(model: ChatCompletions) -> None:
    model.script(Says("word ", ending="endless"))
    assert failure(model, whole=1.5, most_bytes=10**9).kind == "timeout"
    model.wait_until_hung_up()


def test_nobody_is_there(model: ChatCompletions) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError) as caught:
        asked(f"http://127.0.0.1:{port}/v1")
    assert caught.value.kind == "unreachable"


def test_a_server_that_hangs_up_at_once_is_asked_once_more(model: ChatCompletions) -> None:
    model.script(Says(manner="close"), Says("Hello."))
    assert asked(model.url)[0] == "Hello."
    model.script(Says(manner="close"), Says(manner="close"))
    assert failure(model).kind == "cut_off"


def test_who_stops_listening_hangs_up(model: ChatCompletions) -> None:
    model.script(Says("We open ", ending="stall"))
    now = time.monotonic()
    parts = ask(
        Server(model.url), "m", [], answer_tokens=9, first_word_at=now + 9, whole_at=now + 9
    )
    assert next(parts) == "We open "
    parts.close()  # type: ignore[attr-defined]
    model.wait_until_hung_up()


def test_many_at_once_keep_their_own_time(model: ChatCompletions) -> None:
    model.otherwise = lambda request: Says(0.3, f"for {request['messages'][0]['content']}")
    texts: list[str] = []
    threads = [
        threading.Thread(target=lambda: texts.append(asked(model.url)[0])) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == [f"for {SECRET}"] * 40
    assert model.most_at_once > 20
