"""Values from outside that try to be more than one value, for tests that put them everywhere."""

from __future__ import annotations

#: Each tries to end a line and begin one of ours, or to move a terminal's cursor.
LINE_BREAKS = ("\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
TERMINAL = (
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b[1A\x1b[2K",
    "\x9b2J",
    "\x9d0;owned\x9c",
    "\b\b",
)
#: Each reorders what follows it, some after closing the element that isolates them.
REORDERING = (
    "\u202e", "\u202d", "\u202b", "\u202a", "\u2067", "\u2066", "\u2068", "\u2069\u202e",
    "\u2069\u2069\u2069\u202e", "\u202c\u202c\u202e", "\u202e" * 130,
)  # fmt: skip
MARKS = ("\u200e", "\u200f", "\u061c")
UNSEEN = ("\u200b", "\u2060", "\ufeff", "\u00ad", "\u180e", "\U000e0041")
STACKED = "Z" + "\u0335\u0311\u0328" * 100

#: Genuine texts, which must look as they are.
GENUINE = ("محمد علي", "דוד כהן", "علی‌رضا", "José-María", "김민준", "👨‍👩‍👧", "Việt Nam", "Ann Lee")

#: Mail addresses that a mail program would read as more than one receiver.
EMAILS = (
    "sales?bcc=spy%40evil.example@example.com",
    "a&cc=spy@example.com",
    "a%26bcc%3Dspy@example.com",
    "a#b@example.com",
    "a,b@example.com",
    "a;b@example.com",
    "a b@example.com",
    "a/b@example.com",
    'a"b@example.com',
    "a'onmouseover='x@example.com",
    "<script>@example.com",
    "a%0d%0abcc:spy@example.com",
    "a+tag@example.com",
    "jürgen@müller.example",
    "a@example.com?subject=x&body=y",
    "a@example.com,spy@evil.example",
)
PHONES = ("+442079460958", "+442079460958;phone-context=evil.example", "*21*123#", "tel:+44 20")
#: Addresses that must never become a link.
ADDRESSES = (
    "javascript:alert(1)",
    " javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "https://user:pass@example.com/",
    "//evil.example/x",
    "\\\\evil.example",
    "https://example.com/\u202egpj.exe",
)
MARKUP = ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "' onfocus='alert(1)")
NAMES = (
    *(f"Ann{end}--- lead.completed 2026 ---{end}name: Forged" for end in LINE_BREAKS),
    *(f"Ann{each}Lee" for each in (*TERMINAL, *REORDERING, *MARKS, *UNSEEN)),
    STACKED,
    *MARKUP,
)
