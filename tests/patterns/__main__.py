"""Attack every pattern of the given packages, or every reading entry; a line of JSON for each.

python -m tests.patterns [--samples] PACKAGE…
python -m tests.patterns --entries
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from importlib import import_module

from tests.patterns.discovery import Discovered, discover
from tests.patterns.growth import is_superlinear
from tests.patterns.pumps import Attack, attacks_on


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--samples", action="store_true", help="call what builds patterns")
    parser.add_argument("--only", default="", help="only the patterns of these places")
    parser.add_argument("--entries", action="store_true", help="attack whole functions instead")
    options = parser.parse_args(arguments)
    if options.entries:
        _attack_entries(options.only)
    else:
        _attack_patterns(options)


def _attack_patterns(options: argparse.Namespace) -> None:

    def samples() -> None:
        if options.samples:
            import_module("tests.patterns.samples").call()

    found, unseen = discover(options.packages, samples)
    for place in unseen:
        print(json.dumps({"unseen": place}))
    judged: dict[tuple[str, int, str], tuple[str | None, int]] = {}
    for each in found:
        if options.only not in each.place:
            continue
        start = time.thread_time()
        slow, tried = None, 0
        for method in sorted(each.methods):
            key = (each.pattern, each.flags, method)
            judged[key] = judged.get(key) or _judge(each, method)
            slow = slow or judged[key][0]
            tried += judged[key][1]
        report = {
            "place": each.place,
            "pattern": each.pattern,
            "methods": sorted(each.methods),
            "attacks": tried,
            "slow": slow,
            "seconds": round(time.thread_time() - start, 2),
        }
        print(json.dumps(report), flush=True)


def _attack_entries(only: str) -> None:
    entries = import_module("tests.patterns.entries")
    for entry in entries.ENTRIES:
        if only not in entry.name:
            continue
        start = time.thread_time()
        screened = tuple(min(length, entry.longest) for length in (500, 2_000))
        slow = None
        attacks = [Attack("", (pump,), end) for pump in entries.PUMPS for end in ("zzz",)]
        for attack in attacks:
            if is_superlinear(entry.call, attack.text, screened=screened, longest=entry.longest):
                slow = str(attack)
                break
        seconds = round(time.thread_time() - start, 2)
        report = {"entry": entry.name, "attacks": len(attacks), "slow": slow, "seconds": seconds}
        print(json.dumps(report), flush=True)


def _judge(each: Discovered, method: str) -> tuple[str | None, int]:
    """The first attack that the pattern falls to, and how many were tried."""
    call = _call(re.compile(each.pattern, each.flags), method)
    tried = 0
    for attack in attacks_on(each.pattern, each.flags):
        tried += 1
        if is_superlinear(call, attack.text):
            return str(attack), tried
    return None, tried


def _call(pattern: re.Pattern[str], method: str) -> Callable[[str], object]:
    # findall goes on behind each match: it meets all that search, finditer, sub and split meet.
    return {"scan": pattern.findall, "match": pattern.match, "fullmatch": pattern.fullmatch}[method]


if __name__ == "__main__":
    main(sys.argv[1:])
