"""Take out of an outside text what must not be kept: who somebody is, and what opens a door."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from app.incidents.secret_patterns import LEFT_OUT, RULES, SECRET

#: Nobody reads more of an error; the rest is cut before anything else is done with it.
LONGEST_READ = 5_000
#: Where a text was cut, it may end in half of something that would have been taken out.
LONGEST_VALUE = 300
LONGEST_URL = 2_000

_UNSTORABLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060\ufeff]"
)

# What is said in a sentence: "the password is hunter2", "token 'abc'", "API key abc1 refused".
_CREDENTIAL = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|kennwort|passwort|secret|token|pin|"
    r"(?:api|access|secret|private)[ -]?key|apikey|key(?= provided)|identified by|"
    r"(?:one-time|verification|security|login|sms) code)"
)
_SAID = re.compile(
    rf"(?<!\w)(?<!\w-)(?<!unexpected )({_CREDENTIAL}(?: (?:provided|given|sent|used))?"
    r"(?::| is| was|(?= \\{0,16}[\"'`“‘])|(?= [^\s\d]{0,40}\d))\s{1,5})",
    re.I,
)
_WORD = re.compile(r"[^\s,;]+")
_HAS_LETTER_AND_DIGIT = re.compile(r"(?=[^\d]{0,200}\d)(?=[^a-z]{0,200}[a-z])", re.I)
#: What is said about a secret, and is none.
_NO_SECRETS = frozenset((
    "a", "an", "the", "not", "no", "too", "still", "already", "being", "always", "never", "only",
    "also", "now", "used", "unused", "set", "unset", "missing", "required", "needed", "expected",
    "wanted", "invalid", "valid", "incorrect", "wrong", "bad", "empty", "blank", "null",
    "undefined", "unknown", "expired", "revoked", "disabled", "enabled", "changed", "reset",
    "rotated", "updated", "deleted", "removed", "lost", "stored", "sent", "given", "weak", "short",
    "long", "strong", "old", "new", "ok", "okay", "accepted", "refused", "rejected", "denied",
    "malformed", "unsupported", "unauthorized", "insufficient", "restricted", "limited", "found",
    "in", "on", "at", "of", "for", "from", "by", "with", "and", "or", "but",
))  # fmt: skip
# `name: value`, `name = value`, `name => value`, however both are quoted.
_NAMED = re.compile(
    r"(?<![\w-])([\w-]{1,60}+)(?:\\{0,16}+[\"'])?\s{0,5}(?:=>|:=|[:=])(?:\s{0,5}(?![\s])|(?=\n))"
)
_BLOCK_SCALAR = re.compile(r"[>|]?[+-]?[ \t]{0,5}\n\s{1,20}")
_OPENING = re.compile(r"(\\{0,16})([\"'`“‘])")
_CLOSING = {"“": "”", "‘": "’"}
_UNQUOTED = re.compile(r"[^\n,;}]+")
_SECRET = re.compile(
    r"auth|token(?!s)|secret|passw|passphrase|passcode|kennwort|contraseñ|pwd|signature|"
    r"credential|cookie|session|(?:^|[-_]|api|access|private|public|account)keys?$|^key|"
    r"^x-|^(?:pass|passe|pin|otp|tan|cv[vc]|sig)$|_pass$",
    re.I,
)
_PERSONAL = re.compile(
    r"(?:first|last|full|given|family|sur|visitor|customer|client|contact|lead)[-_]?name|mail|"
    r"phone|mobile|^tel$|street|birth|iban|passport|^(?:name|address|user|user[-_]?name|login)$",
    re.I,
)
_PERSONAL_IF_QUOTED = re.compile(
    r"name|address|city|zip|postcode|company|card|text|message|comment|note|input|subject|body|"
    r"content|question|answer",
    re.I,
)
#: "node name: Send email" names a thing.
_OF_A_THING = re.compile(
    r"\b(?:node|workflow|file|host|table|column|field|domain|property|credentials?|error|class|"
    r"function|module|model|type|variable|database|role|index|queue|bucket|service|header) $",
    re.I,
)


def redact(text: str, longest: int = 500) -> str:
    """The text without e-mail addresses, phone numbers, passwords, tokens, the values of headers
    and of fields about a person, long ids, and what addresses carry besides where they lead.

    Cut to `longest` characters; PostgreSQL can store it.
    """
    kept = _without_said_values(_without_named_values(_by_rules(text)))
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
    for pattern, instead in RULES:
        text = pattern.sub(instead, text)
    return text


def _cut(text: str, original: str, longest: int) -> str:
    if len(original) > LONGEST_READ:
        text = text[:-LONGEST_VALUE]
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _without_named_values(text: str) -> str:
    kept, at = [], 0
    while named := _NAMED.search(text, at):
        kept.append(text[at : named.end()])
        at = named.end()
        if (instead := _instead(named[1], text, named)) and not _stands_for(text, at):
            kept.append(instead)
            at = _end_of_value(text, at)
    return "".join(kept) + text[at:]


def _without_said_values(text: str) -> str:
    kept, at = [], 0
    while said := _SAID.search(text, at):
        kept.append(text[at : said.end()])
        at = said.end()
        end = _end_of_quoted(text, at) if _OPENING.match(text, at) else None
        if end is None and (word := _WORD.match(text, at)):
            is_told = said[1].rstrip().endswith((":", "is", "was"))
            end = word.end() if _may_be_secret(word[0], is_told=is_told) else None
        if end is not None and not _stands_for(text, at):
            kept.append(SECRET)
            at = end
    return "".join(kept) + text[at:]


def _may_be_secret(word: str, *, is_told: bool) -> bool:
    """`is_told`: it stands behind "is" or a colon. Else it has to look like no word."""
    bare = word.strip(".!?()\"'").lower()
    if is_told:
        return bool(bare) and bare not in _NO_SECRETS
    return len(bare) >= 5 and _HAS_LETTER_AND_DIGIT.match(bare) is not None


def _stands_for(text: str, at: int) -> bool:
    """Whether something has been taken out here."""
    return text.startswith((SECRET, LEFT_OUT), at)


def _end_of_value(text: str, at: int) -> int:
    if block := _BLOCK_SCALAR.match(text, at):
        at = block.end()
    if (end := _end_of_quoted(text, at)) is not None:
        return end
    if text.startswith(("[", "{"), at):
        closing = text.find("]" if text[at] == "[" else "}", at)
        return closing + 1 if closing >= 0 else len(text)
    unquoted = _UNQUOTED.match(text, at)
    return unquoted.end() if unquoted else at


def _end_of_quoted(text: str, at: int) -> int | None:
    """Behind the closing quotation mark; the end of the text where there is none; None where no
    quotation begins. The closing mark is escaped as often as the opening one.
    """
    opening = _OPENING.match(text, at)
    if opening is None:
        return None
    closing = opening[1] + _CLOSING.get(opening[2], opening[2])
    found = text.find(closing, opening.end())
    while found > 0 and text[found - 1] == "\\":
        found = text.find(closing, found + len(closing))
    return found + len(closing) if found >= 0 else len(text)


def _instead(word: str, text: str, named: re.Match[str]) -> str:
    """What stands for the value; nothing: it may stay."""
    if _SECRET.search(word):
        return SECRET
    if _PERSONAL.search(word):
        before = text[max(0, named.start() - 20) : named.start()]
        return "" if word.lower() == "name" and _OF_A_THING.search(before) else LEFT_OUT
    is_quoted = _OPENING.match(text, named.end()) is not None
    return LEFT_OUT if is_quoted and _PERSONAL_IF_QUOTED.search(word) else ""
