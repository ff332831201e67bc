"""The wheel holds the library and nothing else; ``worker``, ``tasks`` and ``settings`` would clash in site-packages."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built with the installed backend: no isolation, no network."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_it_holds_the_library_alone(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"prospect_sync"}


def test_it_holds_every_file_of_the_library(wheel):
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "prospect_sync").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert there - set(wheel.namelist()) == set()
    assert "prospect_sync/py.typed" in there
    assert "prospect_sync/data/default_mapping.toml" in there


def test_it_brings_the_command_and_the_licence(wheel):
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    assert "prospect-sync = prospect_sync.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()
    assert wheel.read(f"{info}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_it_asks_for_nothing_that_only_the_service_needs(wheel):
    (info,) = {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" in name}
    asked = [
        line.removeprefix("Requires-Dist: ")
        for line in wheel.read(f"{info}/METADATA").decode().splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert len(asked) == len(project["dependencies"])
    assert [line for line in asked if line.startswith(("celery", "kombu", "pydantic", "psycopg"))] == []
