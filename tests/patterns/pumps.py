"""Strings that make a backtracking engine work: made from a pattern's own tree, and a fixed list.

For each repetition: what leads up to it, what it repeats, many times over, and an end that fails.
What is repeated is taken singly and in pairs, and chosen so that sets of characters that overlap
are met by the same character.
"""

from __future__ import annotations

import re
import re._constants as sre  # type: ignore[import-untyped]
import re._parser as parser  # type: ignore[import-untyped]
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

#: Repeated so often or more, a repetition is attacked.
_LEAST_REPEATED = 4
_MOST_SAMPLES = 6
_MOST_PUMPS = 7
_MOST_SINGLE = 200
_REPRESENTATIVES = (
    "a1 .,-@:/'\"!?_\n(e<[*#x0=;+)>]{}|`~&$%^\\tsioZA\t\r\x00\xa0é\u0301中”’…🙂٣€\u200b\ud800"
)
ENDS = ("", "\x00", "zzz", "!\n", " a 1 a 1 a 1")
#: Whatever a pattern looks like, it is given these.
GENERIC = (
    *" a1@.\n\t-_(<[{\"'*`|,:;/\\?!=x\u0301中é\xa0”…",
    "a ",
    "1 ",
    "a@",
    "a.",
    "a-",
    "1,",
    "1234567,",
    "1.",
    "1-",
    "0 1",
    "aA1",
    "Ab ",
    "a=",
    "://",
    "&a",
    "&#",
    "<a",
    "](",
    "[a](",
    "**",
    " \n",
    "e\u0301",
    "a\n",
    "please wait ",
    "e-mail ",
    "ok, ",
    "no ",
    "my name is ",
    "hi ",
    "24 hours ",
    "within ",
    "J. ",
    "A.b.",
    "“a@b.co ",
    "not ",
)


@dataclass(frozen=True, slots=True)
class Attack:
    """`text(length)`: the beginning, the pumps over and over, and the end."""

    beginning: str
    pumps: tuple[str, ...]
    end: str
    is_alternating: bool = True

    def text(self, length: int) -> str:
        if self.is_alternating:
            pump = "".join(self.pumps)
            return f"{self.beginning}{pump * max(1, length // len(pump))}{self.end}"
        parts = (pump * max(1, length // len(self.pumps) // len(pump)) for pump in self.pumps)
        return f"{self.beginning}{''.join(parts)}{self.end}"

    def __str__(self) -> str:
        how = " alternating" if len(self.pumps) > 1 and self.is_alternating else ""
        return f"{self.beginning!r} + {self.pumps!r} many times{how} + {self.end!r}"


def attacks_on(pattern: str, flags: int) -> Iterator[Attack]:
    """Attacks that the pattern can tell apart, those made from its own parts first."""
    tree = parser.parse(pattern, flags)
    samples = _Samples(tree)
    seen = set()
    for attack in _all_attacks(tree, samples):
        texts = (attack.beginning, *attack.pumps, attack.end)
        kind = (attack.is_alternating, *(tuple(map(samples.kind_of, text)) for text in texts))
        if kind not in seen:
            seen.add(kind)
            yield attack


def _all_attacks(tree: Any, samples: _Samples) -> Iterator[Attack]:
    pieces = list(dict.fromkeys(samples.pieces(tree, "")))
    whole = [each for each in samples.of(tree) if each]
    near = [each[:-1] for each in whole if len(each) > 1]
    ends = dict.fromkeys((samples.rarest, *ENDS, *samples.alphabet))
    singles = (Attack(*piece, end) for end in ends for piece in pieces)
    yield from islice(singles, max(_MOST_SINGLE, 3 * len(pieces)))
    for pump in dict.fromkeys((*(*whole, *near)[:60], *GENERIC)):
        yield Attack("", (pump,), samples.rarest)
    pumps = _spread((pump for _, (pump,) in pieces), _MOST_PUMPS)
    beginning = next((b for b, _ in pieces if b), "")
    for first in pumps:
        for second in pumps:
            if first != second:
                yield Attack("", (first, second), samples.rarest)
                yield Attack(beginning, (first, second), samples.rarest, is_alternating=False)


def _spread(pumps: Iterable[str], most: int) -> list[str]:
    """At most so many: the short ones, which are met by most repetitions, then some of the rest."""
    unique = sorted(dict.fromkeys(pumps), key=len)
    rest = unique[most - 3 :]
    return unique[: most - 3] + rest[:: max(1, len(rest) // 3)][:3]


class _Samples:
    """Short texts that parts of a pattern match."""

    def __init__(self, tree: Any) -> None:
        self._groups: dict[int, str] = {}
        sets = [node for node in nodes(tree) if _is_set(node)]
        self._sets = sets
        self._literals = {chr(value).lower() for kind, value in nodes(tree) if kind is sre.LITERAL}
        self._kinds: dict[str, Hashable] = {}
        classes: dict[tuple[bool, ...], str] = {}
        for char in _REPRESENTATIVES:
            classes.setdefault(tuple(_holds(node, char) for node in sets), char)
        #: One character of each kind that the pattern's sets tell apart.
        self.alphabet = tuple(classes.values())
        #: What the fewest sets hold: an end that fails.
        self.rarest = classes[min(classes, key=sum)]

    def kind_of(self, char: str) -> Hashable:
        """The same for characters that the pattern cannot tell apart."""
        if char not in self._kinds:
            literal = char.lower() if char.lower() in self._literals else char.isalnum()
            self._kinds[char] = (literal, *(_holds(node, char) for node in self._sets))
        return self._kinds[char]

    def of(self, tree: Any) -> list[str]:
        """Of a sequence: its parts' samples side by side."""
        parts = [self._of_node(node) for node in tree] or [[""]]
        count = min(_MOST_SAMPLES * 10, max(map(len, parts)))
        texts = ["".join(part[number % len(part)] for part in parts) for number in range(count)]
        return list(dict.fromkeys(texts))

    def _of_node(self, node: Any) -> list[str]:
        kind, value = node
        if kind is sre.LITERAL:
            return [chr(value)]
        if _is_set(node):
            fitting = [char for char in self.alphabet if _holds(node, char)]
            return fitting[: _MOST_SAMPLES * 2] or [_first_of(value)]
        if kind is sre.BRANCH:
            several = [self.of(branch) for branch in value[1]]
            return [each[0] for each in several] + [one for each in several for one in each[1:]]
        if kind is sre.SUBPATTERN:
            found = self.of(value[3])
            self._groups[value[0]] = found[0]
            return found
        if kind is sre.ATOMIC_GROUP:
            return self.of(value)
        if kind in _REPEATS:
            least, most, body = value
            found = [one * max(least, 1) for one in self.of(body)]
            return found if least or not most else [*found, ""]
        if kind is sre.GROUPREF:
            return [self._groups.get(value, "")]
        return [""]  # anchors and looks around take no room

    def pieces(self, tree: Any, before: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """For each repetition: a text that leads up to it, and one turn of it."""
        for at, (kind, value) in enumerate(tree):
            rest = before + "".join(min(self._of_node(node), key=len) for node in tree[:at])
            if kind in _REPEATS:
                if value[1] >= _LEAST_REPEATED:
                    for pump in self.of(value[2])[: _MOST_SAMPLES * 10]:
                        if pump:
                            yield rest, (pump,)
                yield from self.pieces(value[2], rest)
            elif kind is sre.BRANCH:
                for branch in value[1]:
                    yield from self.pieces(branch, rest)
            elif kind is sre.SUBPATTERN:
                yield from self.pieces(value[3], rest)
            elif kind is sre.ATOMIC_GROUP:
                yield from self.pieces(value, rest)
            elif kind in (sre.ASSERT, sre.ASSERT_NOT):
                yield from self.pieces(value[1], rest)


_REPEATS = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)


def nodes(tree: Any) -> Iterator[Any]:
    """All nodes of a pattern's tree, from the outside in."""
    for node in tree:
        yield node
        kind, value = node
        if kind in _REPEATS:
            yield from nodes(value[2])
        elif kind is sre.BRANCH:
            for branch in value[1]:
                yield from nodes(branch)
        elif kind is sre.SUBPATTERN:
            yield from nodes(value[3])
        elif kind is sre.ATOMIC_GROUP:
            yield from nodes(value)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from nodes(value[1])


def _is_set(node: Any) -> bool:
    return node[0] in (sre.IN, sre.ANY, sre.NOT_LITERAL)


_CATEGORIES: dict[Any, Callable[[str], object]] = {
    sre.CATEGORY_DIGIT: re.compile(r"\d").match,
    sre.CATEGORY_NOT_DIGIT: re.compile(r"\D").match,
    sre.CATEGORY_SPACE: re.compile(r"\s").match,
    sre.CATEGORY_NOT_SPACE: re.compile(r"\S").match,
    sre.CATEGORY_WORD: re.compile(r"\w").match,
    sre.CATEGORY_NOT_WORD: re.compile(r"\W").match,
}


def _holds(node: Any, char: str) -> bool:
    kind, value = node
    if kind is sre.ANY:
        return char != "\n"
    if kind is sre.NOT_LITERAL:
        return ord(char) != value
    is_negated = value[0][0] is sre.NEGATE
    return is_negated != any(_item_holds(item, char) for item in value[is_negated:])


@cache
def _item_holds(item: Any, char: str) -> bool:
    kind, value = item
    if kind is sre.LITERAL:
        return ord(char) == value
    if kind is sre.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    return _CATEGORIES[value](char) is not None


def _first_of(items: Any) -> str:
    """A character of a set that holds none of the representatives."""
    for kind, value in items or []:
        if kind is sre.LITERAL:
            return chr(value)
        if kind is sre.RANGE:
            return chr(value[0])
    return "a"
