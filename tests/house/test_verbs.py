"""The commands that image, compose file, Makefile and documents name exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")


def verbs_of(*command: str) -> set[str]:
    """The verbs that a command's own help lists."""
    ended = subprocess.run(
        [sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(re.findall(r"^[\s│|]*([a-z][a-z-]*)\s{2,}", ended.stdout, re.MULTILINE))


@pytest.fixture(scope="module")
def worker_verbs():
    return verbs_of("-m", "worker")


@pytest.fixture(scope="module")
def library_verbs():
    return verbs_of("-c", "from prospect_sync.cli import main; main()")


def test_the_compose_files_commands_exist(worker_verbs, library_verbs):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    commands = [service["command"] for service in services.values() if "build" in service]
    assert len(commands) == 4
    assert {command[3] for command in commands if command[:3] == ["python", "-m", "worker"]} <= worker_verbs
    assert {command[1] for command in commands if command[0] == "prospect-sync"} <= library_verbs


def test_the_images_commands_exist(worker_verbs):
    named = re.findall(r'"python", "-m", "worker", "([a-z-]+)"', (ROOT / "Dockerfile").read_text())
    assert named == ["alive", "run"]
    assert set(named) <= worker_verbs


def test_the_documents_commands_exist(worker_verbs, library_verbs):
    text = "\n".join((ROOT / name).read_text() for name in DOCUMENTS)
    told = "\n".join(line for line in text.splitlines() if "planned" not in line)
    assert set(re.findall(r"python -m worker ([a-z-]+)", told)) <= worker_verbs
    assert set(re.findall(r"`prospect-sync ([a-z-]+)", told)) <= library_verbs


def test_the_makefiles_commands_exist(worker_verbs):
    assert set(re.findall(r"\$\(RUN\) worker ([a-z-]+)", (ROOT / "Makefile").read_text())) <= worker_verbs
