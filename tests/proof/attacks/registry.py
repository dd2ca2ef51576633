"""Find every attack: each module of this package that has an `attack` function."""

from __future__ import annotations

import importlib
import pkgutil

from tests.proof import attacks
from tests.proof.attacks.target import Attack


def all_attacks() -> dict[str, Attack]:
    """The attacks by the name of their module, in alphabetical order."""
    found = {}
    for module in pkgutil.iter_modules(attacks.__path__):
        attack = getattr(
            importlib.import_module(f"{attacks.__name__}.{module.name}"), "attack", None
        )
        if attack is not None:
            found[module.name] = attack
    return dict(sorted(found.items()))
