"""The marks of Markdown, as patterns. None of them looks past the end of a line.

After CommonMark 0.31.2, with what chats write instead: emphasis inside a Latin word is none
(`2*3*4`, `Kund*innen`), `+` begins no list, `> 5` is a comparison.
"""

from __future__ import annotations

import re
import string

#: How many characters a construct may be long, and so the most that is held back.
LONGEST_HOLD = 300
#: How far past that its end may be seen.
SLACK = 8

PUNCTUATION = frozenset(string.punctuation)

#: What may be marks at the beginning of a line.
HEAD = re.compile(rf"[ \t#>*\-_~`|:]{{0,{LONGEST_HOLD}}}")
BLANK = re.compile(r"[ \t]*(?=\n|\Z)")
FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
FENCE_ENDS = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*(?=\n|\Z)")
#: A line across, or the line below a table's head.
RULE = re.compile(
    r"[ \t]*+(?:([-*_])(?:[ \t]*+\1){2,}"
    r"|\|?(?:[ \t]*+:?-++:?[ \t]*+\|)+(?:[ \t]*+:?-++:?)?)[ \t]*+(?=\n|\Z)"
)
HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]++(?=[^\n])")
QUOTE = re.compile(r"[ \t]*>(?:[ \t](?![ \t]*\d)|(?=[>\n])|\Z)")
ITEM = re.compile(r"([ \t]*)[-*][ \t]++(?=[^\n])")
ROW = re.compile(r"[ \t]*\|[ \t]*")

ORDINARY = re.compile(r"[^\n\\`*_~<!\[:]+")
ORDINARY_IN_ROW = re.compile(r"[^\n\\`*_~<!\[:| \t]+")
ROW_GAP = re.compile(r"[ \t]*(?P<border>\|)?[ \t]*")
URL_REST = re.compile(r"[^\s<>\"*`\\]*")

AUTOLINK = re.compile(r"<(?:mailto:)?((?:https?://)[^\s<>]+|[^\s<>@:/]+@[^\s<>@]+)>")
TAG = re.compile(r"<[a-zA-Z/!][^<>\n]*>")
TAG_BEGUN = re.compile(r"<(?:[^\s<>=][^<>\n]*)?")

# Each part begins with a sign of its own, so that there is one way to read a text.
_LABEL = r"(?:[^\[\]\n\\]|\\[^\n]|\[[^\[\]\n]*+\])*"
_ADDRESS = r"(?:[^\s()<>]|\([^\s()<>]*+\))*"
_TITLE = r"(?:\"[^\"\n]*+\"|'[^'\n]*+')"
_TITLE_BEGUN = r"(?:\"[^\"\n]*+\"?|'[^'\n]*+'?)"
LINK = re.compile(
    rf"!?\[(?P<label>{_LABEL})\]\([ \t]*+"
    rf"(?:(?:<(?P<pointed>[^<>\n]*+)>|(?P<address>{_ADDRESS}))(?:[ \t]++{_TITLE})?"
    rf"|(?<=[ \t]){_TITLE})[ \t]*+\)"
)
#: What may still become one.
LINK_BEGUN = re.compile(
    rf"!?\[{_LABEL}(?:\\|\[[^\[\]\n]*+)?"
    rf"(?:\](?:\([ \t]*+(?:(?:<[^<>\n]*+>?|{_ADDRESS}(?:\([^\s()<>]*+)?)(?:[ \t]++{_TITLE_BEGUN}?)?"
    rf"|(?<=[ \t]){_TITLE_BEGUN})[ \t]*+)?)?"
)

# Letters and digits of the scripts that put blanks between words.
_WORD = r"[^\W_\u0e00-\U0010ffff]"
_IS_WORD = re.compile(_WORD)


def is_word(char: str) -> bool:
    return _IS_WORD.match(char) is not None


def ends_with_word(mark: str) -> bool:
    """Whether this mark closes only where no word goes on: `**24**h`, but not `_snake_case`."""
    return mark[0] == "_" or mark == "*"


def _closer(mark: str) -> re.Pattern[str]:
    char = re.escape(mark[0])
    runs = {"*": rf"{char}(?:{char}{char})?", "**": rf"{char}{{2,3}}", "***": rf"{char}{{3}}"}
    run = runs["*" * len(mark)]
    after = f"(?!{_WORD})" if ends_with_word(mark) else ""
    return re.compile(rf"\n|(?<![\s(\[{{{char}]){run}(?!{char}){after}")


#: Mark → what ends it, or the line.
CLOSERS = {
    **{mark: _closer(mark) for mark in ("*", "**", "***", "_", "__", "___", "~~")},
    **{"`" * n: re.compile(rf"\n|(?<!`)`{{{n}}}(?!`)") for n in (1, 2, 3)},
}


def linked(label: str, address: str) -> str:
    """A link in words: `label (address)`, or one of them where both say the same."""
    kind, _, rest = address.partition(":")
    is_page = kind.lower() not in ("mailto", "tel")
    shown = address if is_page else rest
    if not label or not shown:
        return label or shown
    if _essence(label) == _essence(shown):
        return shown if is_page else label
    return f"{label} ({shown})"


def _essence(address: str) -> str:
    bare = re.sub(r"[\s()-]", "", address.lower())
    return re.sub(r"^(https?://)?(www\.)?", "", bare).rstrip("/")
