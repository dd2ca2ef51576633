"""The rules of the house hold, and the checks that guard them fail when they are broken."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from flask import Flask

from app.web.guards import check_routes, public, requires

ROOT = Path(__file__).resolve().parent.parent
MAX_MODULES_IN_WEB = 15
MAX_MODULES_ELSEWHERE = 25
MAX_MODULES_REACHED_BY_LIVE = 60


# Imports go down only


#: Modules that may not stand where they would, each with its one import.
FORBIDDEN = {
    "core/upward.py": "from app.models import types",
    "delivery/upward.py": "import app.chat",
    "chat/sideways.py": "import app.review",
    "leads/flask_below.py": "import flask",
    "web/frame/upward.py": "import app.web.dashboard.leads.index",
    "web/frame/upward_to_lists.py": "import app.web.lists.periods",
    "web/lists/upward.py": "import app.web.qa.labels",
    "web/dashboard/leads/sideways.py": "import app.web.dashboard.users.index",
    "web/qa/sideways.py": "import app.web.dashboard.sessions.timeline",
}
ALLOWED = {"web/dashboard/leads/labels_of_another.py": "import app.web.qa.labels"}


def lint_imports(folder: Path) -> tuple[bool, str]:
    """Whether the contracts are kept, and what the linter says."""
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and their contract, in a place where they can be broken."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def words_on_the_broken(copy: Path) -> Iterator[str]:
    """What the linter says where each of these modules stands, forbidden and allowed ones."""
    modules = FORBIDDEN | ALLOWED
    for where, line in modules.items():
        (copy / "app" / where).write_text(line + "\n")
    is_kept, words = lint_imports(copy)
    assert not is_kept
    assert "BROKEN" in words
    yield words
    for where in modules:
        (copy / "app" / where).unlink()


def test_the_import_contracts_are_kept() -> None:
    is_kept, words = lint_imports(ROOT)
    assert is_kept, words


@pytest.mark.parametrize("where", FORBIDDEN)
def test_a_forbidden_import_breaks_the_contract(words_on_the_broken: str, where: str) -> None:
    assert where.removesuffix(".py").replace("/", ".") in words_on_the_broken


@pytest.mark.parametrize("where", ALLOWED)
def test_the_labels_of_another_noun_may_be_imported(words_on_the_broken: str, where: str) -> None:
    assert where.removesuffix(".py").replace("/", ".") not in words_on_the_broken


def test_a_package_that_stands_on_no_floor_breaks_the_contract(copy: Path) -> None:
    (copy / "app" / "helpers").mkdir()
    (copy / "app" / "helpers" / "__init__.py").touch()
    is_kept, words = lint_imports(copy)
    shutil.rmtree(copy / "app" / "helpers")
    assert not is_kept
    assert "helpers" in words


def test_the_live_stream_reaches_few_modules() -> None:
    """It is part of every page: what it imports is loaded, read and tested with each of them."""
    graph = grimp.build_graph("app", cache_dir=None)
    reached = graph.find_upstream_modules("app.web.frame.live")
    assert len(reached) <= MAX_MODULES_REACHED_BY_LIVE, sorted(reached)


# Small folders


def crowded(root: Path) -> dict[str, int]:
    """The folders with more modules than one can take in at a glance, and how many they have."""
    counts = {
        folder.relative_to(root).as_posix(): len({*folder.glob("*.py")} - {folder / "__init__.py"})
        for folder in (root, *root.rglob("*/"))
    }
    return {
        folder: count
        for folder, count in counts.items()
        if count > (MAX_MODULES_IN_WEB if folder.startswith("web") else MAX_MODULES_ELSEWHERE)
    }


def test_no_folder_is_crowded() -> None:
    assert crowded(ROOT / "app") == {}


def test_a_crowded_folder_is_found(tmp_path: Path) -> None:
    for folder, modules in (("web/leads", MAX_MODULES_IN_WEB), ("core", MAX_MODULES_ELSEWHERE)):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(modules):
            (tmp_path / folder / f"module_{number}.py").touch()
        (tmp_path / folder / "__init__.py").touch()
    assert crowded(tmp_path) == {}
    (tmp_path / "web/leads/another.py").touch()
    (tmp_path / "core/another.py").touch()
    assert crowded(tmp_path) == {"web/leads": 16, "core": 26}


# Deny by default


def test_every_route_of_the_app_declares_its_permission(app: Flask) -> None:
    check_routes(app)


def test_an_undeclared_route_stops_the_start_by_name() -> None:
    app = Flask("an_app")
    app.add_url_rule("/open", "open_page", public(lambda: "yes"))
    app.add_url_rule("/guarded", "guarded_page", requires("sessions:read")(lambda: "yes"))
    check_routes(app)
    app.add_url_rule("/forgotten", "forgotten_page", lambda: "oops")
    with pytest.raises(RuntimeError, match="forgotten_page"):
        check_routes(app)


# Only core/db.py commits


def commits(source: str) -> list[int]:
    """The lines that commit, or open a block that commits by itself."""
    called = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        call.lineno
        for call in called
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "begin")
    ]


def python_files() -> Iterator[Path]:
    return (ROOT / "app").rglob("*.py")


def test_only_one_file_commits() -> None:
    # Migrations run before there is an application: they own their connection.
    allowed = {ROOT / "app/core/db.py", ROOT / "app/core/migrations.py"}
    guilty = {path: commits(path.read_text()) for path in python_files() if path not in allowed}
    assert {path.relative_to(ROOT): lines for path, lines in guilty.items() if lines} == {}
    assert commits((ROOT / "app/core/db.py").read_text())


def test_a_commit_elsewhere_is_found() -> None:
    assert commits("def save(session):\n    session.add(1)\n    session.commit()\n") == [3]
    assert commits("with db.engine.begin() as connection:\n    pass\n") == [1]
    assert commits("with transaction() as session:\n    session.add(1)\n") == []


def test_only_the_settings_read_the_environment() -> None:
    # The embedded PostgreSQL sets a locale for the processes it starts.
    allowed = {ROOT / "app/core/embedded.py"}
    guilty = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if path not in allowed and {"environ", "getenv"} & _attributes(path.read_text())
    ]
    assert guilty == []


def _attributes(source: str) -> set[str]:
    nodes = ast.walk(ast.parse(source))
    return {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
