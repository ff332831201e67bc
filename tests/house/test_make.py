"""The set-up on a bare machine: what `make` says, and which Python it takes."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_help_names_every_target():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    named = [line.split()[1] for line in said.splitlines() if line.startswith("  make ")]
    assert named == ["help", "demo", "test", "journeys", "check", "format", "proto", "lock", "clean"]


def old_python(folder: Path, name: str) -> None:
    """A command that is there and runs no program, as a version manager's placeholder does."""
    (folder / name).write_text("#!/bin/sh\nexit 1\n")
    (folder / name).chmod(0o755)


def test_without_a_fitting_python_one_sentence_says_so(tmp_path):
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        old_python(tmp_path, name)
    ended = subprocess.run(
        [ROOT / "requirements/install.sh", tmp_path / "venv"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Python 3.11 or newer with its venv module is needed" in ended.stderr
    assert "make PYTHON=" in ended.stderr
    assert not (tmp_path / "venv").exists()


def test_a_named_python_is_the_only_one_tried(tmp_path):
    old_python(tmp_path, "mine")
    ended = subprocess.run(
        [ROOT / "requirements/install.sh", tmp_path / "venv"],
        env={"PATH": os.environ["PATH"], "PYTHON": str(tmp_path / "mine")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert f"{tmp_path / 'mine'} is that" in ended.stderr or "is needed" in ended.stderr
