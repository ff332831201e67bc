"""What no file of the project may contain, and what every one must be: part of ``make check``."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_OURS = {".git", ".venv", "build", "dist", "var", "htmlcov", "__pycache__", ".hypothesis"}
TEXT = {
    ".cfg",
    ".css",
    ".html",
    ".ini",
    ".js",
    ".json",
    ".lua",
    ".md",
    ".proto",
    ".py",
    ".sh",
    ".toml",
    ".txt",
    ".yml",
    ".yaml",
}
PLAIN = {"Dockerfile", "LICENSE", "Makefile", "run"}

# Put together from pieces, so that this file does not contain them itself.
FORBIDDEN = {
    "a package index's host": ("py" + "pi.org", "python" + "hosted.org", "py" + "pi.python.org"),
    "an index option": ("--index" + "-url", "--extra" + "-index", "--find" + "-links", "--trusted" + "-host"),
    "a path of somebody's machine": (
        "/wo" + "rk/",
        "/opt/py" + "pi",
        "/opt/wh" + "eels",
        "/ro" + "ot/",
        "/Us" + "ers/",
    ),
    "a neighbour of the checkout": ("../sha" + "red",),
}
# The lock is made without them in it, by saying so.
ALLOWED = {"requirements/lock.sh": ("--find" + "-links",)}


def ours() -> Iterator[Path]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith("_cache")]
        yield from (Path(folder) / name for name in files if not name.startswith(".coverage"))


def texts() -> Iterator[tuple[str, str]]:
    for path in ours():
        if path.suffix in TEXT or path.name in PLAIN:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_contains(what):
    found = [
        f"{name}: {word}"
        for name, text in texts()
        for word in FORBIDDEN[what]
        if word in text and word not in ALLOWED.get(name, ())
    ]
    assert found == []


def test_the_lock_files_are_pins_and_hashes_and_nothing_else():
    for lock in (ROOT / "requirements").glob("*.txt"):
        options = [line for line in lock.read_text().splitlines() if line.startswith("-") or "://" in line]
        assert options == [], lock.name


def test_the_lock_files_belong_to_the_dependency_tables():
    ended = subprocess.run(
        [sys.executable, ROOT / "requirements/seal.py", "check"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_changed_dependency_or_pin_breaks_the_seal(tmp_path):
    (tmp_path / "requirements").mkdir()
    for name in ("build.txt", "service.txt", "dev.txt", "seal.py"):
        (tmp_path / "requirements" / name).write_text((ROOT / "requirements" / name).read_text())
    project = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(project.replace('"httpx>=', '"httpx>=99'))
    check = [sys.executable, tmp_path / "requirements/seal.py", "check"]
    asked_anew = subprocess.run(check, capture_output=True, text=True, check=False)
    (tmp_path / "pyproject.toml").write_text(project)
    lock = tmp_path / "requirements/dev.txt"
    lock.write_text(lock.read_text().replace("httpx==", "httpx==9"))
    pinned_anew = subprocess.run(check, capture_output=True, text=True, check=False)
    assert [line.split()[0] for line in asked_anew.stderr.splitlines()] == [
        "requirements/build.txt",
        "requirements/service.txt",
        "requirements/dev.txt",
    ]
    assert [line.split()[0] for line in pinned_anew.stderr.splitlines()] == ["requirements/dev.txt"]
    assert (asked_anew.returncode, pinned_anew.returncode) == (1, 1)


def test_scripts_are_executable():
    scripts = [ROOT / ".ci/run", *(ROOT / "requirements").glob("*.sh")]
    assert [path.name for path in scripts if not os.access(path, os.X_OK)] == []


def test_no_module_is_called_after_nothing_in_particular():
    vague = {"utils", "util", "helpers", "common", "base", "manager", "misc"}
    found = {path.relative_to(ROOT).as_posix() for path in ours() if path.suffix == ".py" and path.stem in vague}
    assert found <= {"tasks/base.py"}
