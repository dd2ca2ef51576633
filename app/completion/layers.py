"""Which layers may complete a session by themselves (COMPLETION_LAYERS). A person always may."""

from __future__ import annotations

_active: frozenset[str] = frozenset()


def configure(layers: tuple[str, ...]) -> None:
    """Set by wiring."""
    global _active  # noqa: PLW0603 - set once, by wiring
    _active = frozenset(layers)


def is_active(layer: str) -> bool:
    return layer in _active
