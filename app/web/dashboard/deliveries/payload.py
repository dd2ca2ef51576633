"""What a delivery says, for people: personal details are hidden until somebody asks for them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from app.core.safe_text import escaped_in_json
from app.delivery.answers import MOST_BYTES
from app.models.attribution import ATTRIBUTION_KEYS
from app.web.frame.labels import CONTACT, field_name

HIDDEN = "•••"
#: Bytes of UTF-8; half a sign is left out where an answer is cut off.
_LONGEST_SIGN = 4
#: Letters with a personal link: what they say is shown to nobody but whom they are for.
_WITH_LINK = "user."
#: What may be read of each part without asking; the rest is personal, whatever it is called.
_PLAIN_LEAD = frozenset({"id", "missing", "invalid", "consent", "erased_at"})
_PLAIN_LINE = frozenset({"role", "at"})
_ADDRESSES = ("landing_url", "referrer")
_PLAIN_ATTRIBUTION = frozenset(key for key in ATTRIBUTION_KEYS if key.startswith("utm_"))


@dataclass(frozen=True, slots=True)
class Payload:
    """`facts`: what it says, in words. `text`: all of it as it is sent, indented JSON; for a letter
    what it says. `is_secret`: nothing of it is shown. `is_hidden`: some of it has to be asked for.
    `personal`: what is hidden, the longest first.
    """

    facts: list[tuple[str, str]]
    text: str
    is_letter: bool = False
    is_secret: bool = False
    is_hidden: bool = False
    personal: tuple[str, ...] = ()

    def masked(self, answer: str) -> str:
        """What the receiver said, which may repeat what it was sent, in JSON's or HTML's signs."""
        for each in self.personal:
            for written in _ways_to_write(each):
                answer = re.sub(re.escape(written), HIDDEN, answer, flags=re.IGNORECASE)
        return _without_cut_off(answer, self.personal)


def payload(event: str, body: str, *, is_open: bool) -> Payload:
    """`is_open`: with personal details."""
    if event.startswith(_WITH_LINK):
        return Payload([], "", is_letter=True, is_secret=True)
    sent = json.loads(body)
    data = sent.get("data") or {}
    if "subject" in data:
        return _letter(data, is_open=is_open)
    shown = sent if is_open else {**sent, "data": _without_personal(data)}
    text = escaped_in_json(json.dumps(shown, ensure_ascii=False, indent=2))
    personal = sorted({each for each in _personal(shown, sent) if len(each) > 2}, key=len)[::-1]
    facts = _facts(shown.get("data") or {})
    return Payload(facts, text, is_hidden=shown != sent, personal=tuple(personal))


def _letter(data: dict[str, Any], *, is_open: bool) -> Payload:
    """It names the people it is for, and may repeat what a visitor wrote."""
    to, text = (", ".join(data["to"]), data.get("text") or "") if is_open else (HIDDEN, HIDDEN)
    facts = [("To", to), ("Subject", data["subject"])]
    personal = () if is_open else tuple(data["to"])
    return Payload(facts, text, is_letter=True, is_hidden=not is_open, personal=personal)


def _personal(shown: Any, sent: Any) -> Iterator[str]:
    """What is sent and not shown."""
    if isinstance(shown, dict):
        for key, value in shown.items():
            yield from _personal(value, sent[key])
    elif isinstance(shown, list):
        for one, other in zip(shown, sent, strict=True):
            yield from _personal(one, other)
    elif shown != sent:
        yield str(sent)


def _ways_to_write(value: str) -> list[str]:
    """The longest first."""
    as_html = html.escape(value)
    ways = {value, as_html, as_html.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
    ways |= {json.dumps(value, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    return sorted(ways, key=len, reverse=True)


def _without_cut_off(answer: str, personal: tuple[str, ...]) -> str:
    """Of an answer only the start is kept: what it ends with may be the start of something."""
    if len(answer.encode()) < MOST_BYTES - _LONGEST_SIGN:
        return answer
    folded = answer.casefold()
    for value in personal:
        for length in range(len(value) - 1, 2, -1):
            if folded.endswith(value[:length].casefold()):
                return answer[:-length] + HIDDEN
    return answer


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    lead, session = data.get("lead") or {}, data.get("session") or {}
    known = {key: lead.get(key) for key in CONTACT} | (lead.get("qualification") or {})
    facts = [(field_name(key), str(value)) for key, value in known.items() if value]
    missing = ", ".join(map(field_name, lead.get("missing") or ()))
    facts += [("Not given", missing)] if missing else []
    site = (session.get("site") or {}).get("name")
    facts += [("Site", site)] if site else []
    if lines := data.get("transcript"):
        facts.append(("Messages", str(len(lines))))
    return facts


def _without_personal(data: dict[str, Any]) -> dict[str, Any]:
    """The same keys everywhere; what was not given stays empty, so that one sees it."""
    shown = dict(data)
    if isinstance(lead := data.get("lead"), dict):
        shown["lead"] = _hidden_but(lead, _PLAIN_LEAD)
    if isinstance(attribution := data.get("attribution"), dict):
        shown["attribution"] = _hidden_but(attribution, _PLAIN_ATTRIBUTION) | {
            key: _without_query(attribution[key]) for key in _ADDRESSES if attribution.get(key)
        }
    if lines := data.get("transcript"):
        shown["transcript"] = [_hidden_but(line, _PLAIN_LINE) for line in lines]
    return shown


def _hidden_but(values: dict[str, Any], plain: frozenset[str]) -> dict[str, Any]:
    return {key: value if key in plain else _hidden(value) for key, value in values.items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(each) for key, each in value.items()}
    return HIDDEN if value else value


def _without_query(address: str) -> str:
    """Click ids stand there, and sometimes an e-mail."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return HIDDEN
    if not parts.query and not parts.fragment:
        return address
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")) + "?" + HIDDEN
