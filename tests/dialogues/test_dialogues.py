"""Every written dialogue in this folder, played through the scripted assistant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.assistants.scripted import ScriptedAssistant
from tests.dialogues.dialogue import play, read_dialogue

_HERE = Path(__file__).parent
_FILES = sorted(_HERE.glob("*/*.txt"))
_RESULTS: dict[str, tuple[str, bool]] = {}


@pytest.fixture(scope="module", autouse=True)
def result_table(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    table = [
        f"{'passed' if is_passed else 'FAILED':8}{name:48}{title}"
        for name, (title, is_passed) in sorted(_RESULTS.items())
    ]
    count = sum(is_passed for _, is_passed in _RESULTS.values())
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n\nDialogues\n" + "\n".join(table))
        print(f"{count} of {len(_RESULTS)} dialogues passed")


@pytest.mark.parametrize("path", _FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_dialogue_goes_as_written(path: Path) -> None:
    name = f"{path.parent.name}/{path.stem}"
    _RESULTS[name] = ("", False)
    dialogue = read_dialogue(path)
    _RESULTS[name] = (dialogue.title, False)
    wrong = play(dialogue, ScriptedAssistant())
    _RESULTS[name] = (dialogue.title, not wrong)
    assert not wrong, "\n".join(wrong)


def test_there_are_enough_dialogues_of_our_own() -> None:
    assert len([path for path in _FILES if path.parent.name == "inside"]) >= 32
