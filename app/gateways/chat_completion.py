"""A streamed chat completion: which server is asked, and its answer put together from chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from app.gateways.whole_signs import WholeSigns

ErrorKind = Literal[
    "timeout",
    "unreachable",
    "refused",
    "missing",
    "busy",
    "broken",
    "cut_off",
    "empty",
    "garbage",
    "filtered",
    "too_big",
]
_MOST_CALLS = 100
OPENAI_URL = "https://api.openai.com/v1"

_AZURE_HOSTS = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")


@dataclass(frozen=True, slots=True)
class Server:
    """Where the API begins; a query in `url` goes with each call. `key` may be empty."""

    url: str = OPENAI_URL
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def is_azure(self) -> bool:
        return self.host.endswith(_AZURE_HOSTS) or "api-version=" in urlsplit(self.url).query

    @property
    def limit_name(self) -> str:
        """The older name is refused by newer models of OpenAI, the newer one by older servers."""
        is_new = self.is_azure or self.host == "api.openai.com"
        return "max_completion_tokens" if is_new else "max_tokens"


class ModelError(Exception):
    """No answer, or no more of one. `detail`: a status code, or one of our own words.

    `has_begun`: the model had started to answer, which costs tokens.
    """

    def __init__(self, kind: ErrorKind, detail: str = "", *, has_begun: bool = False) -> None:
        super().__init__(f"{kind} {detail}".rstrip())
        self.kind = kind
        self.detail = detail
        self.has_begun = has_begun


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments`: as the model wrote them; JSON, if all is well."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How an answer ended. `usage`: tokens in and out, None where the server does not count."""

    calls: tuple[ToolCall, ...] = ()
    is_cut_short: bool = False
    usage: tuple[int, int] | None = None


class Reading:
    """Puts an answer together from its chunks. Nothing in them is taken to be as it should."""

    def __init__(self) -> None:
        self._calls: list[list[str]] = []
        self._current: dict[int, list[str]] = {}
        self._finish: str | None = None
        self._usage: tuple[int, int] | None = None
        self._has_text = False
        self._signs = WholeSigns()

    def take(self, chunk: object) -> str:
        """The text in it."""
        if not isinstance(chunk, dict):
            raise ModelError("garbage", has_begun=True)
        self._usage = _tokens(chunk.get("usage")) or self._usage
        text = ""
        for choice in _listed(chunk.get("choices"))[:1]:
            delta = _named(_named(choice).get("delta"))
            text = self._signs.of(_text(delta.get("content")))
            for part in _listed(delta.get("tool_calls")):
                self._take_call(_named(part))
            finish = _named(choice).get("finish_reason")
            self._finish = finish if isinstance(finish, str) else self._finish
        self._has_text = self._has_text or bool(text)
        return text

    def finish(self) -> Answered:
        if self._finish == "content_filter":
            raise ModelError("filtered", has_begun=True)
        if not self._has_text and not self._calls:
            raise ModelError("empty" if self._finish else "cut_off", has_begun=True)
        if self._finish is None:
            raise ModelError("cut_off", "no end", has_begun=True)
        calls = tuple(ToolCall(*(WholeSigns().of(part) for part in call)) for call in self._calls)
        return Answered(calls, self._finish == "length", self._usage)

    def _take_call(self, part: dict[str, Any]) -> None:
        """A piece of a call. Some servers number all of theirs 0: a new id is a new call, too."""
        index, id_ = part.get("index"), _text(part.get("id"))
        known = self._current.get(index) if isinstance(index, int) else None
        if known is None or (id_ and known[0] and id_ != known[0]):
            if len(self._calls) >= _MOST_CALLS:
                raise ModelError("too_big", "tool calls", has_begun=True)
            known = ["", "", ""]
            self._calls.append(known)
            self._current[index if isinstance(index, int) else -1] = known
        function = _named(part.get("function"))
        known[0] = known[0] or id_
        known[1] = known[1] or _text(function.get("name"))
        known[2] += _text(function.get("arguments"))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _named(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _tokens(usage: object) -> tuple[int, int] | None:
    counts = [_named(usage).get(name) for name in ("prompt_tokens", "completion_tokens")]
    if all(isinstance(count, int) and count >= 0 for count in counts):
        return counts[0], counts[1]  # type: ignore[return-value]
    return None
