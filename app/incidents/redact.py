"""Take out of an outside text what must not be kept: who somebody is, and what opens a door."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

#: Nobody reads more of an error; the rest is cut before anything else is done with it.
LONGEST_READ = 5_000
#: Where a text was cut, it may end in half of something that would have been taken out.
LONGEST_VALUE = 300
LONGEST_URL = 2_000

_UNSTORABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060\ufeff]"
)

_SAID = re.compile(
    r"\b((?:key|token|password|secret)(?: \w{1,20})?(?: is| was|:)\s{1,5})[^\s,;]+", re.I
)
# `name: value`, however both are quoted.
_NAMED = re.compile(
    r"""(?P<name>(?P<quote>\\?["'])?(?<![\w-])(?P<word>[\w-]{1,60})(?:\\?["'])?\s{0,5}[:=]\s{0,5})"""
    r"""(?:(?P<quoted>\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'[^']*')|[^\n,;}]+)"""
)
_SECRET = re.compile(
    r"auth|token|secret|passw|passphrase|pwd|key|signature|credential|cookie|^x-|session", re.I
)
_PERSONAL = re.compile(
    r"(?:first|last|full|given|family|sur|visitor|customer|client|contact|lead)[-_]?name|mail|"
    r"phone|mobile|^tel$|street|birth|iban|passport",
    re.I,
)
_PERSONAL_IF_QUOTED = re.compile(
    r"name|address|city|zip|postcode|company|card|text|message|comment|note|input|subject|body|"
    r"content|question|answer",
    re.I,
)

_RULES = tuple(
    (re.compile(pattern, re.I), instead)
    for pattern, instead in (
        # Addresses keep where they lead, without who opens them and what is asked there.
        (r"(\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@\"'<>]{1,500}@", r"\1"),
        (r"(\b[a-z][a-z0-9+.-]{1,20}://[^\s?#\"'<>)]{1,2000})[?#][^\s\"'<>)]*", r"\1"),
        (r"-----BEGIN [\s\S]*?(?:-----END [A-Z ]+-----|\Z)", "[secret]"),
        (
            r"\b(bearer|basic|digest|negotiate)\s+(?=[^\s\"',;]*[\d+/=_.-])[^\s\"',;]{6,}",
            r"\1 [secret]",
        ),
        (r"(\bcookie[\"']?\s{0,5}[:=]\s{0,5})[^\n\"'}]+", r"\1[secret]"),
        (r"((?:passw\w{0,20}|pwd|token|secret|key)\s?=\s?)[^\s,;&]+", r"\1[secret]"),
        (r"(\bheaders?\\?[\"']?\s{0,5}[:=]\s{0,5})\{[^{}]*\}?", r"\1[left out]"),
        # PostgreSQL's own words for what it would not store.
        (r"(\bkey \([^()]*\)=)\([^\n]*?\)(?= (?:already|is|conflicts)|\n|\Z)", r"\1[left out]"),
        (r"(\bfailing row contains )\([^\n]*", r"\1[left out]"),
        (
            r"[^\s@<>()\[\],;:=\"'“”«»]{1,64}(?:@|%40|＠)[^\s@<>()\[\],;:\"'“”«»/?&]{1,255}",
            "[e-mail]",
        ),
        (r"\b[\w.+-]{1,64}\s+\(?at\)?\s+[\w-]{1,63}\s+\(?dot\)?\s+[a-z]{2,24}\b", "[e-mail]"),
        (r"\beyJ[\w-]{5,}(?:\.[\w-]*){0,4}", "[secret]"),
        (
            r"\b(?:sk|pk|rk|re|gh[a-z]|github_pat|xox[a-z]|whsec|glpat|pat)[-_][\w+/=-]{8,}",
            "[secret]",
        ),
        (r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])", "[id]"),
        (r"(?<![\w+/=-])(?=[^\d\s]{0,200}\d)[\w+-]{40,}={0,2}", "[id]"),
        (r"(?<![a-z0-9])(?=[a-z]{0,200}\d)(?=\d{0,200}[a-z])[a-z0-9]{14,}", "[id]"),
        # Seven digits and more: a telephone's, an account's. A date is none.
        (
            r"(?:[+＋]\s?)?\(?(?<!\d)(?!(?:19|20)\d\d-[01]\d-[0-3]\d(?![\d-]))"
            r"\d(?:[ \t\u00a0().\-–‑/·]{0,3}\d){6,}",
            "[number]",
        ),
    )
)


def redact(text: str, longest: int = 500) -> str:
    """The text without e-mail addresses, phone numbers, passwords, tokens, the values of headers
    and of fields about a person, long ids, and what addresses carry besides where they lead.

    Cut to `longest` characters; PostgreSQL can store it.
    """
    kept = _without_named_values(_SAID.sub(r"\1[secret]", _by_rules(text)))
    return _cut(kept, text, longest)


def redact_name(text: str, longest: int = 120) -> str:
    """`redact` for what a team calls its things: "E-mail: new lead" is no e-mail's value."""
    return _cut(" ".join(_by_rules(text).split()), text, longest)


def bare_url(url: str | None) -> str | None:
    """A web address without user, password, query and fragment; None for anything else."""
    if not url or len(url) > LONGEST_URL or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.path:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}{f':{port}' if port else ''}{parts.path}"


def _by_rules(text: str) -> str:
    text = _UNSTORABLE.sub("", text[:LONGEST_READ]).strip()
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return text


def _cut(text: str, original: str, longest: int) -> str:
    if len(original) > LONGEST_READ:
        text = text[:-LONGEST_VALUE]
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _without_named_values(text: str) -> str:
    kept, at = [], 0
    while named := _NAMED.search(text, at):
        instead = _instead(named)
        kept.append(text[at : named.end("name")] + instead)
        at = named.end() if instead else named.end("name")
    return "".join(kept) + text[at:]


def _instead(named: re.Match[str]) -> str:
    """What stands for the value; nothing: it may stay."""
    word, is_quoted = named["word"], named["quoted"] is not None
    if named[0].endswith(("[secret]", "[left out]")):
        return ""
    if _SECRET.search(word):
        return "[secret]"
    is_personal = _PERSONAL.search(word) or (is_quoted and _PERSONAL_IF_QUOTED.search(word))
    return "[left out]" if is_personal else ""
