"""Text that no person wrote for a person: error messages, data, pages, broken encodings."""

from __future__ import annotations

import json
import re

#: How machine text begins, in small letters.
_BEGINNINGS = (
    "<!doctype",
    "<html",
    "<?xml",
    "error in workflow",
    "workflow was started",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "traceback (most recent call last)",
    "nodeoperationerror",
    "nodeapierror",
    "undefined",
    "null",
    "nan",
    "[object object]",
    "unauthorized",
    "forbidden",
    # What N8n, its nodes and their language models say when they fail.
    "axioserror:",
    "typeerror:",
    "syntaxerror:",
    "referenceerror:",
    "rangeerror:",
    "agent stopped due to",
    "max iterations (",
    "no session id found",
    "error:",
    "request failed with status code",
    "cannot read propert",
    "you exceeded your current quota",
    "[used tools:",
    "bad request - please check",
    "forbidden - perhaps check",
    "authorization failed - please check",
    "payment required - perhaps check",
    "the resource you are requesting could not be found",
    "the service is receiving too many requests from you",
    "the service was not able to process your request",
    "the service refused the connection",
    "the connection was aborted, perhaps the server is offline",
)
#: These are words as well: machine text only when nothing else is said.
_ALONE = frozenset({"undefined", "null", "nan", "unauthorized", "forbidden", "none", "error"})
_ANYWHERE = re.compile(
    r"Traceback \(most recent call last\)|\bNode(?:Operation|Api)Error\b|\[object Object\]"
    # A line of a stack: indented, or below an empty line.
    r"|^[^\S\n]*+(?:\n|(?<=[^\S\n]))at \S+ \(.+:\d+:\d+\)|<!DOCTYPE|<html[\s>]|\{\{\s*\$json"
    # An error by its name or its number.
    r"|(?-i:\b[A-Z][A-Za-z]+Error:|\bE(?:CONN(?:REFUSED|RESET|ABORTED)|TIMEDOUT|NOTFOUND)\b)"
    r"|\brequest failed with status code \d"
    r"|^[45]\d\d (?:bad request|unauthorized|forbidden|not found|too many requests"
    r"|internal server error|bad gateway|service unavailable|gateway time-?out)"
    # What a model meant for a tool, or for nobody.
    r"|\bcalling \S+ with input: ?[{\[]|</?tool_(?:call|response)|<\|\w{1,30}\|>"
    r"|\{\s{0,9}\"\w{1,40}\"\s{0,9}:",
    re.I | re.M,
)
#: A beginning that becomes one of these, or words for people, within its first words.
_UNCLEAR = re.compile(r"[45]\d?|(?:calling|[45]\d\d)(?:\s++\S*+){0,3}")
_LONGEST = 200
_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f]")
_MOST_BROKEN = 3


def may_be_machine_text(beginning: str) -> bool:
    """Whether a text that begins like this had better not be shown before its end is known."""
    text = beginning.lstrip().lower()
    if not text or text[0] in "{[<":
        return True
    if len(_BROKEN.findall(beginning)) >= _MOST_BROKEN:
        return True
    if "calling".startswith(text) or _UNCLEAR.fullmatch(text):
        return True
    return any(
        known.startswith(text) or (known not in _ALONE and text.startswith(known))
        for known in _BEGINNINGS
    )


def holds_machine_text(text: str, since: int = 0) -> bool:
    """Whether somewhere in it stands what no person writes, whatever comes next.

    `since`: what stands before was looked through already; with it, a line of a stack is found
    that is at most `_LONGEST` characters long.
    """
    return _ANYWHERE.search(text, max(0, since - _LONGEST)) is not None


def is_for_people(text: str) -> bool:
    """Whether this whole answer can be shown to a visitor."""
    words = text.strip()
    lowered = words.lower().rstrip(".!")
    if not any(map(str.isalnum, words)) and not any(ord(sign) > 0x2000 for sign in words):
        return False
    if lowered in _ALONE or len(_BROKEN.findall(words)) >= _MOST_BROKEN:
        return False
    if any(lowered.startswith(known) for known in _BEGINNINGS if known not in _ALONE):
        return False
    return not holds_machine_text(words) and not _is_data(words)


def _is_data(words: str) -> bool:
    if words[0] not in "{[":
        return False
    try:
        return isinstance(json.loads(words), dict | list)
    except (ValueError, RecursionError):
        return words.startswith(('{"', "{'", '[{"', "[{'"))
