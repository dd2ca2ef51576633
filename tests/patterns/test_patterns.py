"""Every regular expression, and every function that reads words, takes linear time.

The check runs in a process of its own (`python -m tests.patterns`), so that it sees each pattern
being built and can interrupt one that does not end.
"""

from __future__ import annotations

import json
import os
import re
import re._constants as sre  # type: ignore[import-untyped]
import re._parser as parser  # type: ignore[import-untyped]
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.patterns.pumps import Attack, nodes

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("--samples", "app", "config", "config_values")
PLANTED = """
import re
from functools import lru_cache, partial

EXPONENTIAL = re.compile(r"^(?:(?:a|aa)[\\s]*)+$")
CHATTER = re.compile(
    r"^(?:(?:ok(?:ay)?|yes|wait|hold on|please|please wait|what)(?![^\\W_])[\\s,.!?]*)+$", re.I
)
QUADRATIC = {"x": (re.compile(r"\\d+x"),)}
WORDS = re.compile(r"(?:\\w+\\.)*\\w+$")
OVERLAPPING = re.compile(r"key=\\s*[^,]*\\s*;")
HARMLESS = re.compile(r"[a-z]{1,64}@[a-z]++")
ANCHORED = re.compile(r"\\d+x")


def is_number(text):
    return ANCHORED.fullmatch(text)


def trimmed(text):
    return re.sub(r"\\s+$", "", text)


@lru_cache
def unseen(word):
    return re.compile(rf"\\b{word}\\b")


handed_on = partial(re.search, "a")
"""


def run(*arguments: str, path: Path = ROOT) -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{path}"}
    command = [sys.executable, "-m", "tests.patterns", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def reports() -> list[dict[str, Any]]:
    return run(*PRODUCT)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the check says of bad patterns, by the pattern."""
    path = tmp_path_factory.mktemp("planted")
    (path / "planted_patterns.py").write_text(PLANTED)
    lines = run("planted_patterns", path=path)
    return {line.get("pattern", line.get("unseen")): line for line in lines}


def test_every_pattern_takes_linear_time(reports: list[dict[str, Any]]) -> None:
    tried = [report for report in reports if "pattern" in report]
    print(*(f"{each['place']} {each['attacks']} {each['pattern']!r}" for each in tried), sep="\n")
    assert len(tried) > 150
    assert all(each["attacks"] > 20 for each in tried if not each["slow"])
    assert [(each["place"], each["pattern"], each["slow"]) for each in tried if each["slow"]] == []


def test_every_pattern_of_the_product_is_seen(reports: list[dict[str, Any]]) -> None:
    assert [report["unseen"] for report in reports if "unseen" in report] == []
    files = {report["place"].rpartition(":")[0] for report in reports}
    # At module level, in a tuple, in a dictionary, in a function, of data, in a validator.
    assert files >= {
        "app/assistants/scripted_intents.py",
        "app/assistants/scripted_corrections.py",
        "app/assistants/readable_marks.py",
        "app/leads/names.py",
        "app/completion/detection.py",
        "app/sites/schema.py",
        "config_values.py",
    }


def test_possessive_repetition_is_of_single_characters(reports: list[dict[str, Any]]) -> None:
    """Of a group it goes wrong up to Python 3.11.4, which Debian 12 has (python/cpython#106052)."""
    patterns = {report["pattern"] for report in reports if "pattern" in report}
    assert [pattern for pattern in patterns if _is_possessive_of_group(pattern)] == []
    assert _is_possessive_of_group(r"a(?:ab?c)++")


def _is_possessive_of_group(pattern: str) -> bool:
    return any(
        kind is sre.POSSESSIVE_REPEAT and (len(value[2]) > 1 or value[2][0][0] in _GROUPS)
        for kind, value in nodes(parser.parse(pattern))
    )


_GROUPS = (sre.SUBPATTERN, sre.BRANCH, sre.ATOMIC_GROUP, sre.MAX_REPEAT, sre.MIN_REPEAT)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^(?:(?:a|aa)[\s]*)+$",
        r"^(?:(?:ok(?:ay)?|yes|wait|hold on|please|please wait|what)(?![^\W_])[\s,.!?]*)+$",
        r"\d+x",
        r"(?:\w+\.)*\w+$",
        r"key=\s*[^,]*\s*;",
        r"\s+$",
    ],
)
def test_a_planted_pattern_is_found(planted: dict[str, dict[str, Any]], pattern: str) -> None:
    assert planted[pattern]["slow"]


def test_a_linear_pattern_passes(planted: dict[str, dict[str, Any]]) -> None:
    assert planted[r"[a-z]{1,64}@[a-z]++"]["slow"] is None


def test_a_pattern_built_where_it_cannot_be_seen_is_reported(
    planted: dict[str, dict[str, Any]],
) -> None:
    unseen = [place for place, line in planted.items() if "unseen" in line]
    lines = PLANTED.splitlines()
    builder = lines.index('    return re.compile(rf"\\b{word}\\b")') + 1
    handed_on = lines.index('handed_on = partial(re.search, "a")') + 1
    assert unseen == [f"planted_patterns.py:{builder}", f"planted_patterns.py:{handed_on}"]


def test_every_function_that_reads_words_takes_linear_time() -> None:
    reports = run("--entries")
    assert len(reports) > 50
    assert [(each["entry"], each["slow"]) for each in reports if each["slow"]] == []


def test_a_slow_function_is_found() -> None:
    from tests.patterns.growth import is_superlinear

    def rescans(text: str) -> None:
        while "a" in text:
            text = text.replace("a", "", 1)

    def reads(text: str) -> int:
        return len(re.findall(r"a", text))

    pump = Attack("", ("ba",), "").text
    lengths = (1_000, 4_000)
    assert is_superlinear(rescans, pump, screened=lengths, longest=64_000)
    assert not is_superlinear(reads, pump, screened=lengths, longest=64_000)
