"""Chat completions, as OpenAI, Azure, Ollama, vLLM and others serve them: one streaming call.

The `openai` package 3.x shapes requests and reads the stream; its time limits (600 s a read) and
retries (two) are replaced by ours. It takes a second and 30 MB to load: only who asks a model
imports this module.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Generator, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpcore2
import httpx2
from openai import APIError, APIStatusError, OpenAI, OpenAIError, Stream

from app.gateways.chat_completion import Answered, ErrorKind, ModelError, Reading, Server
from app.gateways.deadlined_http import Allowance, DeadlinedTransport, TooBigError

_KIND_OF_STATUS: dict[int, ErrorKind] = {
    401: "refused",
    403: "refused",
    404: "missing",
    408: "busy",
    429: "busy",
    503: "busy",
    529: "busy",
}
#: A request costs a quarter of a kilobyte for each token that comes; a reasoning model sends more.
_MOST_BYTES = 4 * 1024 * 1024
_RETRY_SECONDS = 0.2
_LONGEST_RETRY_SECONDS = 2.0


def ask(
    server: Server,
    model: str,
    messages: Sequence[Any],
    *,
    answer_tokens: int,
    first_word_at: float,
    whole_at: float,
    tools: Sequence[Any] = (),
    may_call: bool = True,
    most_bytes: int = _MOST_BYTES,
) -> Generator[str | Answered]:
    """Yield pieces of text as they come, then one Answered. Raises ModelError.

    Both times are of `time.monotonic()`: the first word's holds until there is one. Asked again
    once, when the server was not there, broke or was busy, if there is time. Whoever stops
    listening hangs up.
    """
    allowance = Allowance(min(first_word_at, whole_at), most_bytes)
    wanted: dict[str, Any] = {server.limit_name: answer_tokens}
    if tools:
        wanted |= {"tools": list(tools), "tool_choice": "auto" if may_call else "none"}
    stream = _open_patiently(server, allowance, {"model": model, "messages": messages, **wanted})
    try:
        reading = Reading()
        while (chunk := _next(stream, allowance)) is not None:
            if piece := reading.take(chunk):
                allowance.deadline = whole_at
                yield piece
        yield reading.finish()
    finally:
        stream.close()


def _open_patiently(
    server: Server, allowance: Allowance, request: dict[str, Any]
) -> Stream[object]:
    try:
        return _open(server, allowance, request)
    except _RetryLaterError as error:
        wait = error.seconds
        if wait > _LONGEST_RETRY_SECONDS or time.monotonic() + wait >= allowance.deadline:
            raise error.reason from None
    time.sleep(wait)
    try:
        return _open(server, allowance, request)
    except _RetryLaterError as error:
        raise error.reason from None


def _open(server: Server, allowance: Allowance, request: dict[str, Any]) -> Stream[object]:
    body = {**request, "stream": True, "stream_options": {"include_usage": True}}
    with allowance.in_force(), _errors_named(has_begun=False):
        # Chunks as plain values: the package's models take half of all the time an answer costs.
        stream: Stream[object] = _client(server).post(
            "/chat/completions",
            body=body,
            options={"security": {"bearer_auth": True}},
            cast_to=object,
            stream=True,
            stream_cls=Stream[object],
        )
    kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind and kind != "text/event-stream":
        stream.close()
        raise ModelError("garbage", "no stream of events")
    return stream


def _next(stream: Stream[object], allowance: Allowance) -> object | None:
    with allowance.in_force(), _errors_named(has_begun=True):
        return next(stream, None)


class _RetryLaterError(Exception):
    def __init__(self, reason: ModelError, seconds: float) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.seconds = seconds


@contextlib.contextmanager
def _errors_named(*, has_begun: bool) -> Iterator[None]:
    """Whatever the package, its client or the decoding of what came raises, in our words."""
    try:
        yield
    except TooBigError:
        raise ModelError("too_big", has_begun=has_begun) from None
    except APIStatusError as error:
        raise _refusal(error) from None
    except httpcore2.ConnectTimeout:
        raise ModelError("unreachable") from None
    except httpcore2.TimeoutException:
        raise ModelError("timeout", has_begun=has_begun) from None
    except httpcore2.ConnectError:
        raise _RetryLaterError(ModelError("unreachable"), _pause()) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.StreamError):
        broke_off = ModelError("cut_off", has_begun=has_begun)
        raise broke_off if has_begun else _RetryLaterError(broke_off, _pause()) from None
    except APIError:
        raise ModelError("broken", "an error in the stream", has_begun=has_begun) from None
    except (OpenAIError, httpx2.HTTPError, ValueError, TypeError, RecursionError):
        raise ModelError("garbage", has_begun=has_begun) from None


def _refusal(error: APIStatusError) -> Exception:
    """An answer of another status than 2xx. Its words are not looked at but for known codes."""
    status = error.status_code
    if error.code == "content_filter":
        return ModelError("filtered", f"status {status}")
    quota = " insufficient_quota" if error.code == "insufficient_quota" else ""
    reason = ModelError(_KIND_OF_STATUS.get(status, "broken"), f"status {status}{quota}")
    if status in (408, 409, 429) or status >= 500:
        return _RetryLaterError(reason, _asked_to_wait(error.response.headers))
    return reason


def _asked_to_wait(headers: httpx2.Headers) -> float:
    try:
        return max(float(headers["retry-after"]), _pause())
    except KeyError:
        return _pause()
    except ValueError:  # a date: the server means minutes
        return _LONGEST_RETRY_SECONDS + 1


def _pause() -> float:
    return _RETRY_SECONDS * (1 + random.random())  # noqa: S311 - so that not all come at once


@lru_cache(maxsize=32)
def _client(server: Server) -> OpenAI:
    parts = urlsplit(server.url)
    return OpenAI(
        # The package insists on a key; a server that needs none does not look at it.
        api_key=server.key or "none",
        base_url=urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
        default_query=dict(parse_qsl(parts.query)),
        default_headers={
            "Accept-Encoding": "identity",
            **({"api-key": server.key} if server.is_azure and server.key else {}),
        },
        max_retries=0,
        timeout=None,
        http_client=httpx2.Client(
            transport=DeadlinedTransport(), follow_redirects=False, trust_env=False, timeout=None
        ),
    )
