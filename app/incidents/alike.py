"""Which error messages are the same one: what changes from one time to the next is left out."""

from __future__ import annotations

import re

from app.incidents.redact import LONGEST_READ, redact

LONGEST = 500

_QUOTED = re.compile(
    r"\"[^\"\n]{0,200}\"|“[^”\n]{0,200}”|„[^“\n]{0,200}“|«[^»\n]{0,200}»|`[^`\n]{0,200}`"
    r"|‘[^’\n]{0,200}’|(?<!\w)'[^'\n]{0,200}'(?!\w)"
)
_WITH_DIGITS = re.compile(r"(?<!\w)[^\W\d]*+\d\w*+")
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?"
_DATE = re.compile(rf"\b{_MONTH},?\s#|#,?\s{_MONTH}(?!\w)")
_BEFORE_OR_AFTER_DATE = re.compile(rf"\b{_DAY},?\s#|#\s?(?:[ap]m|utc|gmt)\b")
_NUMBERS = re.compile(
    r"(?:\[(?:number|id|address)\]|#)(?:[\s,.:;/+_-]*(?:\[(?:number|id|address)\]|#))*"
)


def changeless(message: str) -> str:
    """The message in small letters without numbers, ids, times, addresses and quoted words.

    "Order 17 of “Ann” failed at 10:32" and "Order 204 of “Bob” failed at 9:01" give the same.
    """
    text = redact(message, LONGEST_READ).lower()
    text = _QUOTED.sub("“”", text)
    text = _WITH_DIGITS.sub("#", text)
    text = _DATE.sub("#", text)
    text = _BEFORE_OR_AFTER_DATE.sub("#", text)
    text = _NUMBERS.sub("#", text)
    return " ".join(text.split())[:LONGEST]
