"""The CI gate sees skips: shown by running pytest on small suites of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPS = "import pytest\n\ndef test_it():\n    pytest.skip('no server')\n"
SKIPS_WHOLE = "import pytest\n\npytest.skip('no server', allow_module_level=True)\n"
SKIPS_BY_MARK = "import pytest\n\n@pytest.mark.skipif(True, reason='no server')\ndef test_it():\n    pass\n"
SKIPS_IN_FIXTURE = (
    "import pytest\n\n@pytest.fixture\ndef server():\n    pytest.skip('no server')\n\ndef test_it(server):\n    pass\n"
)
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n"
FINE = "def test_it():\n    pass\n"


def run_suite(folder: Path, source: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    (folder / "test_suite.py").write_text(source)
    environment = {name: value for name, value in os.environ.items() if name != "CI" and "XDIST" not in name}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.support.no_skips",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            folder,
            "-c",
            os.devnull,
            folder,
        ],
        cwd=ROOT,
        env=environment | ({"CI": "true"} if ci else {}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("source", [SKIPS, SKIPS_WHOLE, SKIPS_BY_MARK, SKIPS_IN_FIXTURE])
def test_a_skip_fails_in_ci(tmp_path, source):
    ended = run_suite(tmp_path, source, ci=True)
    assert ended.returncode not in (0, 5)
    assert "was skipped, which CI does not accept" in ended.stdout
    assert "no server" in ended.stdout


def test_a_skip_is_a_skip_elsewhere(tmp_path):
    ended = run_suite(tmp_path, SKIPS, ci=False)
    assert ended.returncode == 0
    assert "1 skipped" in ended.stdout


@pytest.mark.parametrize(("source", "closing"), [(EXPECTED_FAILURE, "1 xfailed"), (FINE, "1 passed")])
def test_other_outcomes_are_left_alone_in_ci(tmp_path, source, closing):
    ended = run_suite(tmp_path, source, ci=True)
    assert ended.returncode == 0
    assert closing in ended.stdout
