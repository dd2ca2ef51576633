"""Markdown as plain text: what becomes of each mark, and that a stream says the same."""

from __future__ import annotations

import random
import time

import pytest

from app.assistants.readable import ReadableStream, readable
from app.assistants.readable_marks import LONGEST_HOLD, SLACK

MARKDOWN = {
    "emphasis goes": (
        "**bold** __too__ *it* _it_ ~~gone~~ ***both*** **bold *and it***",
        "bold too it it gone both bold and it",
    ),
    "marks inside words stay": (
        "snake_case_words 2*3*4 2**3 Kund*innen __file__.py",
        "snake_case_words 2*3*4 2**3 Kund*innen file.py",
    ),
    "marks without an end stay": ("£99* a month\n*Terms apply **soon", None),
    "marks between blanks stay": ("5 * 3 * 2 = 30 and a ** b", None),
    "notes in brackets stay": ("(*) needed, (**) not needed, (*) again", None),
    "blanks to fill in stay": ("Name: ____ and *** and ~~", None),
    "emphasis in a word with a unit": ("**24**h, **Note:**Text", "24h, Note:Text"),
    "scripts without blanks": (
        "这是**重点**内容 שלום **מודגש** 👍**x**",
        "这是重点内容 שלום מודגש 👍x",
    ),
    "code is as written": ("`a*b*` and `` c`d `` `[x](y)`", "a*b* and c`d [x](y)"),
    "a lone back-tick stays": ("it`s fine", None),
    "escapes": (r"\*not\* \# 1\. C:\Users \_a_", r"*not* # 1. C:\Users _a_"),
    "a hard break": ("one\\\ntwo", "one\ntwo"),
    "headings": ("# One\n### **Two**\ntext", "One\nTwo\ntext"),
    "no headings": ("#1 choice\n#tag\n####### seven\n#", None),
    "lists": ("- a\n* **b**\n  - c\n1. d\n2) e\n   - f", "• a\n• b\n  • c\n1. d\n2) e\n   • f"),
    "no lists": ("-5 °C\n+ VAT\n+44 20\n*\n-\n--", None),
    "task lists": ("- [ ] a\n- [x] b", "• [ ] a\n• [x] b"),
    "quotes": ("> one\n>> two\n>\n> - three", "one\ntwo\n\n• three"),
    "comparisons": ("> 5 m\n>x\n->", None),
    "rules go": ("a\n\n---\n\nb\n* * *\nc\n___\nd", "a\n\nb\nc\nd"),
    "fences": ("Run:\n```sh\nls *a*\n\n  # no\n```\nDone", "Run:\nls *a*\n\n  # no\nDone"),
    "a fence with words behind it": ("```Thank you, Ann.\nBye\n```", "```Thank you, Ann.\nBye"),
    "a fence in a list": ("- x:\n  ~~~\n  - y\n  ~~~\n- z", "• x:\n  - y\n• z"),
    "a fence without an end": ("```\na\n~~~\nb", "a\n~~~\nb"),
    "tables": (
        "| What | Price |\n|:---|---:|\n| **Bath** | £9   |\n\n| lone",
        "What | Price\nBath | £9\n\nlone",
    ),
    "tables without outer lines": ("a | b\n---|---\n1 | 2", "a | b\n1 | 2"),
    "links": (
        "[our page](https://x.y/a_(b)) and [**more**](<https://x.y/a b> 'Title')",
        "our page (https://x.y/a_(b)) and more (https://x.y/a b)",
    ),
    "links that name themselves": (
        "[https://x.y](https://x.y) [www.x.y](https://x.y/) [](https://x.y)",
        "https://x.y https://x.y/ https://x.y",
    ),
    "addresses of people": (
        "[Ann](mailto:ann@x.y) [a@x.y](mailto:a@x.y) [020 7946](tel:+0207946) [call](tel:020)",
        "Ann (ann@x.y) a@x.y 020 7946 (+0207946) call (020)",
    ),
    "pictures": ("![plan](https://x.y/p.png) ![](p.png)", "plan (https://x.y/p.png) p.png"),
    "pointed addresses": (
        "<https://x.y/_a_> <ann@x.y> <mailto:b@x.y>",
        "https://x.y/_a_ ann@x.y b@x.y",
    ),
    "bare addresses": (
        "see https://x.y/_a_/b_c*d and **https://x.y**!",
        "see https://x.y/_a_/b_c*d and https://x.y!",
    ),
    "no links": ("[note] [1] [a] (b) [a][b] a[0](", None),
    "a dangerous link is text": ("[a](javascript:alert(1))", "a (javascript:alert(1))"),
    "html is as written": ("<b class='*a*'>x</b> <script>alert('1_1')</script> &amp; <br>", None),
    "smaller and bigger": ("a < b > c, a<5, <3", None),
    "line ends": ("a\r\nb\rc\r\n\r\n\r\n\r\nd\n   \ne\n\n", "a\nb\nc\n\nd\n\ne"),
    "emoji and joined characters": ("👩‍👩‍👧 é 🏳️‍🌈 **👍🏽**", "👩‍👩‍👧 é 🏳️‍🌈 👍🏽"),
    "plain words": ("Hello! How are you? It's £5: fine – 10:30.", None),
}

PIECES = [
    *"*_~`#>-+|[]()<>!\\:/. \n\r\t.1",
    *("**", "__", "~~", "```", "~~~", "***", "\n\n", "\r\n", "---", "- ", "1. ", "# ", "> "),
    *("word", "two words", "snake_case", "2*3", "é", "👩‍👧", "שלום", "重点", "5"),
    *("https://x.y/a_b", "[label](https://x.y)", "![p](q)", "<b>", "</b>", "<https://x.y>"),
    *("**bold**", "*it*", "`code`", "| a | b |\n|---|---|\n", "```py\nx\n```\n", "\\*"),
    "x" * 290,
    "*" * 40,
    " " * 30,
]


@pytest.mark.parametrize("name", MARKDOWN)
def test_marks_become_plain_words(name: str) -> None:
    written, expected = MARKDOWN[name]
    assert readable(written) == (written if expected is None else expected)


def _texts(count: int, longest: int) -> list[str]:
    chance = random.Random(4)
    texts = [written for written, _ in MARKDOWN.values()]
    for _ in range(count):
        pieces = chance.sample(PIECES, chance.randint(1, 8))
        texts.append("".join(chance.choices(pieces, k=chance.randint(1, longest))))
    return texts


def test_a_stream_says_the_same_wherever_it_is_cut() -> None:
    chance = random.Random(5)
    for text in _texts(count=4000, longest=40):
        whole = readable(text)
        for longest_piece in (1, 3, 12, 400):
            stream, shown, at = ReadableStream(), "", 0
            while at < len(text):
                end = at + chance.randint(0, longest_piece)
                shown += stream.feed(text[at:end])
                at = end
                assert whole.startswith(shown), (text, longest_piece)
            shown += stream.finish()
            assert shown == whole, (text, longest_piece)


def test_little_is_held_back() -> None:
    """Never more than one construct, whatever comes."""
    for text in _texts(count=300, longest=60):
        stream, shown = ReadableStream(), ""
        for at, char in enumerate(text, 1):
            shown += stream.feed(char)
            held = len(readable(text[:at])) - len(shown)
            assert held <= LONGEST_HOLD + SLACK, (text, at)


def test_plain_words_are_not_held_back_at_all() -> None:
    said = "Of course, we can do that – on Monday (or later), at 10 o'clock.\nFine?"
    stream = ReadableStream()
    for word in said.split(" "):
        assert stream.feed(f"{word} ") == f"{word} "


@pytest.mark.parametrize(
    "pattern",
    [
        *("*a ", "**a ", "_a ", "`a``b```c ", "*", "*_~`", "(*", "a*", "**a*b", "\\"),
        *("[", "[a", "[[a]", "![", "[a](", "[a](b(", "[a](<b", '[a](b "', "<", "<a", "<a@"),
        *("> ", "- ", "|", "|-", "\t|", "# ", "~~~\n", "```", "a\n---\n"),
        *("\n", "\r", " ", ":", "://"),
    ],
)
def test_a_hostile_text_takes_no_time(pattern: str) -> None:
    text = (pattern * 100_000)[:100_000]
    began = time.monotonic()
    readable(text)
    stream = ReadableStream()
    for at in range(0, 20_000, 4):
        stream.feed(text[at : at + 4])
    stream.finish()
    print(f"\n{pattern!r}: {1000 * (time.monotonic() - began):.0f} ms")
    assert time.monotonic() - began < 5
