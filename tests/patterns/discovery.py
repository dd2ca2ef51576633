"""Find every regular expression of a package: recorded while it is built, checked against the code.

Python's `re` is watched while all modules are imported and the functions that build patterns from
data are called (`samples`). Every call of `re` in the source must then have been recorded, or be
one whose pattern is a constant; a call that is neither is reported as unseen.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

#: Functions of `re` that take a pattern. The method a pattern is attacked with:
METHODS = {
    "compile": "scan",
    "search": "scan",
    "findall": "scan",
    "finditer": "scan",
    "sub": "scan",
    "subn": "scan",
    "split": "scan",
    "match": "match",
    "fullmatch": "fullmatch",
}
#: Functions of other packages that compile what they are given: marshmallow's validator.
_BY_OTHERS = {"Regexp": "match"}
_ENGINES = frozenset({"re", "regex", "re2", "re._compiler", "sre_compile"})


@dataclass(frozen=True, slots=True)
class Discovered:
    """One pattern. `methods`: scan (search and everything that goes on behind a match), match,
    fullmatch; `place`: file:line of the call that builds it.
    """

    pattern: str
    flags: int
    place: str
    methods: frozenset[str]


@dataclass(slots=True)
class _Call:
    """A call in the source that builds a pattern."""

    path: Path
    function: str
    first_line: int
    last_line: int
    name: str | None  # the module's variable that holds it, if a variable holds just this
    constant: tuple[str, int] | None
    recorded: set[tuple[str, int]] = field(default_factory=set)


def discover(
    packages: Iterable[str], samples: Callable[[], None] = lambda: None
) -> tuple[list[Discovered], list[str]]:
    """All patterns of these packages and modules, and the places of calls that were not seen.

    Must run before any of them is imported. `samples` calls the functions that build patterns.
    """
    recorded: list[tuple[str, int, str, int]] = []
    with _Watch(recorded):
        paths = [path for package in packages for path in _imported(package)]
        samples()
    trees = {path: ast.parse(path.read_text()) for path in paths}
    calls = [call for path, tree in trees.items() for call in _calls(path, tree)]
    unseen = []
    for pattern, flags, path, line in recorded:
        for call in calls:
            if str(call.path) == path and call.first_line <= line <= call.last_line:
                call.recorded.add((pattern, flags))
    used = _methods_by_name(trees)
    found = []
    for call in calls:
        place = f"{_short(call.path)}:{call.first_line}"
        patterns = call.recorded or ({call.constant} if call.constant else set())
        if not patterns:
            unseen.append(place)
        methods = frozenset({_BY_OTHERS.get(call.function) or METHODS[call.function]})
        if call.function == "compile" and call.name:
            methods = used.get((call.path.stem, call.name)) or methods
        found += [Discovered(each, flags, place, methods) for each, flags in sorted(patterns)]
    unseen += [f"{_short(path)}:{line}" for path in trees for line in _hidden(trees[path])]
    return found, unseen


class _Watch:
    """Records pattern, flags, file and line of every use of `re` from outside the library."""

    def __init__(self, recorded: list[tuple[str, int, str, int]]) -> None:
        self._recorded = recorded
        self._originals: dict[str, Any] = {}

    def __enter__(self) -> None:
        for name in METHODS:
            self._originals[name] = getattr(re, name)
            setattr(re, name, self._watched(self._originals[name]))

    def __exit__(self, *_: object) -> None:
        for name, original in self._originals.items():
            setattr(re, name, original)

    def _watched(self, original: Any) -> Any:
        signature = inspect.signature(original)

        def watched(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs).arguments
            pattern, flags = bound["pattern"], int(bound.get("flags", 0))
            if isinstance(pattern, str):
                frame = _caller(sys._getframe(1))
                place = (frame.f_code.co_filename, frame.f_lineno)
                self._recorded.append((pattern, flags, *place))
            return original(*args, **kwargs)

        return watched


def _caller(frame: FrameType) -> FrameType:
    """Who asked for the pattern; behind marshmallow's validator, who made that."""
    while frame.f_back and "marshmallow" in frame.f_code.co_filename:
        frame = frame.f_back
    return frame


def _imported(name: str) -> Iterator[Path]:
    module = importlib.import_module(name)
    assert module.__file__
    yield Path(module.__file__)
    for info in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."):
        if not info.name.endswith("__main__"):
            yield Path(str(importlib.import_module(info.name).__file__))


def _calls(path: Path, tree: ast.Module) -> Iterator[_Call]:
    names = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        function, owner = node.func.attr, node.func.value
        is_re = isinstance(owner, ast.Name) and owner.id == "re" and function in METHODS
        if is_re or function in _BY_OTHERS:
            last_line = node.end_lineno or node.lineno
            name = names.get(id(node))
            yield _Call(path, function, node.lineno, last_line, name, _constant(node))


def _constant(call: ast.Call) -> tuple[str, int] | None:
    """Pattern and flags, where both stand in the call itself."""
    flags = 0
    for keyword in call.keywords:
        if keyword.arg == "flags":
            expression = ast.Expression(keyword.value)
            try:
                flags = int(eval(compile(expression, "flags", "eval"), {"re": re}))  # noqa: S307
            except NameError:
                return None
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value, flags
    return None


def _methods_by_name(trees: dict[Path, ast.Module]) -> dict[tuple[str, str], frozenset[str]]:
    """By module and variable: the methods called on it. Absent where it is used in another way."""
    used: dict[tuple[str, str], set[str]] = {}
    for path, tree in trees.items():
        homes = {
            alias.asname or alias.name: (str(node.module).rpartition(".")[2], alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        receivers: set[int] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                receivers.add(id(node.value))
                home = _home(node.value, homes, path)
                if home and node.attr not in ("pattern", "flags"):
                    used.setdefault(home, set()).add(METHODS.get(node.attr, "scan"))
        for node in ast.walk(tree):
            is_read = isinstance(getattr(node, "ctx", None), ast.Load) and id(node) not in receivers
            home = _home(node, homes, path)
            if is_read and home:
                used.setdefault(home, set()).add("scan")
    return {home: frozenset(methods) for home, methods in used.items()}


def _home(node: ast.AST, homes: dict[str, tuple[str, str]], path: Path) -> tuple[str, str] | None:
    """The module and name of the variable that is read here: `NAME` or `module.NAME`."""
    if isinstance(node, ast.Name):
        return homes.get(node.id) or (path.stem, node.id)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        home = homes.get(node.value.id)
        return (home[1], node.attr) if home else None
    return None


def _hidden(tree: ast.Module) -> Iterator[int]:
    """Lines that take `re` by another name, hand it on, or use a second engine: unseen calls."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in _ENGINES:
            yield node.lineno
        elif isinstance(node, ast.Import):
            is_hidden = [each for each in node.names if each.name in _ENGINES and each.asname]
            is_other = [each for each in node.names if each.name in _ENGINES - {"re"}]
            if is_hidden or is_other:
                yield node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            is_handed_on = node.attr in METHODS and id(node) not in called
            if node.value.id == "re" and (is_handed_on or node.attr in ("Scanner", "template")):
                yield node.lineno


def _short(path: Path) -> str:
    root = Path(__file__).resolve().parents[2]
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name
