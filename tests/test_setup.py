"""The way from nothing: what the bootstrap says when it cannot go on, and what is locked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL_TOOLS = ("sh", "dirname", "mkdir", "rm", "cat", "cksum", "tr", "id", "mktemp", "find", "sort")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a fresh clone as the bootstrap's first steps need."""
    folder = tmp_path / "clone"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "bootstrap.sh", folder / "scripts")
    shutil.copy(ROOT / "requirements.txt", folder)
    return folder


def bootstrap(
    clone: Path, *commands: tuple[str, str], purpose: str = "run"
) -> subprocess.CompletedProcess[str]:
    """Run the bootstrap on a machine whose commands are these, and the usual small tools."""
    bin_folder = clone.parent / "bin"
    bin_folder.mkdir()
    for tool in SMALL_TOOLS:
        (bin_folder / tool).symlink_to(str(shutil.which(tool)))
    for name, script in commands:
        (bin_folder / name).unlink(missing_ok=True)
        (bin_folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin_folder / name).chmod(0o755)
    return subprocess.run(
        [str(bin_folder / "sh"), "scripts/bootstrap.sh", purpose],
        cwd=clone,
        env={"PATH": str(bin_folder), "HOME": str(clone.parent)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_or_an_old_one_is_a_sentence(clone: Path) -> None:
    old = 'case "$1" in --version) echo Python 3.9.6;; *) exit 1;; esac'
    result = bootstrap(clone, ("python3", old))
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed; this machine has Python 3.9.6." in result.stderr


def test_a_missing_venv_module_is_a_sentence_for_who_is_not_root(clone: Path) -> None:
    script = 'case "$2" in *ensurepip*) exit 1;; *"%d"*) echo 3.11;; esac'
    result = bootstrap(clone, ("python3", script), ("id", "echo 1000"))
    assert result.returncode == 1
    assert "Install it with: sudo apt-get install python3.11-venv" in result.stderr


def test_root_on_debian_gets_the_venv_module_by_itself(clone: Path) -> None:
    there = clone.parent / "installed"
    script = f'case "$2" in *ensurepip*) test -e {there};; *"%d"*) echo 3.11;; *) exit 1;; esac'
    # It is 3.11 or newer, but `-m venv` fails: the step after the one that is shown here.
    script = f'case "$2" in *version_info\\ *) exit 0;; esac\n{script}'
    apt = f'echo "$@" >>{there}.log; case "$*" in *venv*) : >{there};; esac'
    result = bootstrap(clone, ("python3", script), ("id", "echo 0"), ("apt-get", apt))
    asked = Path(f"{there}.log").read_text()
    assert "update" in asked
    assert "install -y -qq python3.11-venv" in asked
    assert "venv module is missing" not in result.stderr


def with_everything_but_a_browser(clone: Path) -> tuple[tuple[str, str], tuple[str, str]]:
    """A clone whose packages are installed by pretence, and the commands that pretend."""
    for part in ("static/js", "static/css", ".venv/bin"):
        (clone / part).mkdir(parents=True)
    for file in ("package.json", "package-lock.json", "requirements-dev.txt", "scripts/build.mjs"):
        (clone / file).touch()
    python = clone / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\ncase "$*" in *playwright*) exit 1;; esac\n')
    python.chmod(0o755)
    return ("npm", "mkdir -p node_modules"), ("node", "mkdir -p static/dist")


def test_no_browser_for_the_tests_is_a_sentence(clone: Path) -> None:
    pretended = with_everything_but_a_browser(clone)
    result = bootstrap(clone, *pretended, ("id", "echo 1000"), purpose="test")
    assert result.returncode == 1
    assert "The browser tests need Chromium" in result.stderr
    assert "sudo apt-get install chromium" in result.stderr


def test_running_needs_no_browser_and_the_second_time_does_nothing(clone: Path) -> None:
    pretended = with_everything_but_a_browser(clone)
    first = bootstrap(clone, *pretended)
    assert first.returncode == 0, first.stderr
    assert "Building the front end." in first.stdout
    shutil.rmtree(clone.parent / "bin")
    second = bootstrap(clone)
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")


def test_root_on_debian_gets_the_browser_by_itself(clone: Path) -> None:
    browser = clone.parent / "bin" / "chromium"
    apt = f'case "$*" in *install*chromium*) ln -s /bin/true {browser};; esac'
    pretended = with_everything_but_a_browser(clone)
    ln = ("ln", f'exec {shutil.which("ln")} "$@"')
    result = bootstrap(clone, *pretended, ("id", "echo 0"), ("apt-get", apt), ln, purpose="test")
    assert result.returncode == 0, result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_an_unwritable_folder_is_a_sentence(clone: Path) -> None:
    clone.parent.chmod(0o755)
    for folder in clone.parents[1:4]:  # pytest's own; one more where tests run in parallel
        folder.chmod(folder.stat().st_mode | 0o055)
    result = subprocess.run(
        ["sh", "scripts/bootstrap.sh", "run"],
        cwd=clone,
        user=65534,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "Cannot write to" in result.stderr
    assert "Make the folder writable" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_every_python_package_is_pinned_and_no_machine_leaks_into_the_lock() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        wanted = [line for line in lines if line.strip() and not line.strip().startswith("#")]
        assert wanted
        assert [
            line for line in wanted if not re.match(r"[a-z0-9-]+==[0-9][\w.]*( ; .*)?$", line)
        ] == []


def test_the_development_lock_agrees_with_the_other() -> None:
    pins = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)
    runs = dict(pins.findall((ROOT / "requirements.txt").read_text()))
    tests = dict(pins.findall((ROOT / "requirements-dev.txt").read_text()))
    assert {name: tests.get(name) for name in runs} == runs


def test_npm_packages_come_from_the_public_registry_with_a_checksum() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    for name, package in lock["packages"].items():
        if name:
            address = package.get("resolved", "https://registry.npmjs.org/")
            assert address.startswith("https://registry.npmjs.org/"), name
            assert package["integrity"].startswith("sha512-"), name


def test_nothing_third_party_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"node_modules/", "static/dist/", ".venv/", "instance/"} <= set(ignored)
