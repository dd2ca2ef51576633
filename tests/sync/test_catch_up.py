"""Sweeping and reading share one time; neither stands in the other's way."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.completion import layers
from app.sync.catch_up import catch_up
from app.sync.report import ReadReport
from tests.completion.test_sweep import LONG, completed, promised

pytestmark = pytest.mark.usefixtures("database")


class Reader:
    """Stands in for the reading of N8n's memory."""

    def __init__(self, *, is_done: bool = True, is_broken: bool = False) -> None:
        self.is_done, self.is_broken = is_done, is_broken
        self.causes: list[str] = []

    def __call__(
        self, seconds: float | None, *, cause: str, hints: Sequence[tuple[int, int]] = ()
    ) -> ReadReport:
        assert seconds is not None
        assert 0 <= seconds <= LONG
        self.causes.append(cause)
        if self.is_broken:
            raise ValueError("broken")
        return ReadReport(is_done=self.is_done)


def test_rows_that_are_left_are_told() -> None:
    assert catch_up(LONG, cause="auto_sync", read=Reader())
    assert not catch_up(LONG, cause="auto_sync", read=Reader(is_done=False))


def test_a_reader_that_breaks_does_not_keep_the_sweep_from_its_work() -> None:
    ids = promised(3)
    with pytest.raises(ValueError, match="broken"):
        catch_up(LONG, cause="auto_sync", read=Reader(is_broken=True))
    assert completed() == set(ids)


def test_with_the_sweep_off_a_request_reads_rows_as_the_worker_would(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader()
    catch_up(LONG, cause="sweep", read=reader)
    monkeypatch.setattr(layers, "_active", frozenset({"auto_sync"}))
    catch_up(LONG, cause="sweep", read=reader)
    assert reader.causes == ["sweep", "auto_sync"]
