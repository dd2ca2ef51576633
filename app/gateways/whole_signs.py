"""Text that comes in pieces as JSON, in which a sign such as an emoji may be cut in half."""

from __future__ import annotations


class WholeSigns:
    """Gives pieces on without half a sign: it waits for its other half, or is given up."""

    def __init__(self) -> None:
        self._half = ""

    def of(self, piece: str) -> str:
        text = self._half + piece
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        whole = text.removesuffix(self._half) if self._half else text
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
