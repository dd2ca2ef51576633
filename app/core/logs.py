"""Log lines: text for people, JSON for machines; each change of a status is one line.

Values come from visitors, too, so no value can start a line, or end one, or look like a fact.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping

from app.core.safe_text import indented, printable

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_PLAIN_VALUE = re.compile(r"[^\s\"=]+")


class _WithFacts(logging.Formatter):
    """`message key=value …`: what was passed as `extra` stands behind the message. Whatever
    follows a line break is indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{key}={_fact(value)}" for key, value in _facts(record).items())
        return indented(f"{super().format(record)} {facts}".rstrip())


class _Guarded(logging.Formatter):
    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        return indented(self._formatter.format(record))


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(_cleaned(line), ensure_ascii=False, default=_as_text)


def configure(log_format: str) -> None:
    """Send the product's own log lines to stderr in this format (`text` or `json`), and those of
    libraries, which nobody else formats, as text.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json() if log_format == "json" else _WithFacts("%(asctime)s %(levelname)s %(message)s")
    )
    logger = logging.getLogger("app")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    if logging.lastResort:
        logging.lastResort.setFormatter(_Guarded(logging.Formatter("%(message)s")))


def guard(logger: logging.Logger) -> None:
    """Have another program's logger format as before, but let no value forge a line."""
    for handler in logger.handlers:
        if not isinstance(handler.formatter, _Guarded):
            handler.setFormatter(_Guarded(handler.formatter or logging.Formatter()))


def _facts(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in record.__dict__.items() if key not in _STANDARD}


def _fact(value: object) -> str:
    """The value as it is where that is one word, else quoted: `text="a status=delivered"`."""
    text = printable(str(value))
    return text if _PLAIN_VALUE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _cleaned(value: object) -> object:
    """Strings inside it `printable`; JSON itself escapes line breaks."""
    match value:
        case str():
            return printable(value)
        case Mapping():
            return {printable(str(key)): _cleaned(each) for key, each in value.items()}
        case list() | tuple():
            return [_cleaned(each) for each in value]
    return value


def _as_text(value: object) -> str:
    return printable(str(value))
