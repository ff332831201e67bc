"""The example in the README says what it is said to say."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_decision_to_try(tmp_path):
    blocks = re.findall(r"cat > (\S+) <<'END'\n(.*?)\nEND\n", (ROOT / "README.md").read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["mapping.toml", "cases.jsonl"]
    for name, text in blocks:
        (tmp_path / name).write_text(text + "\n")
    command = Path(sys.executable).with_name("prospect-sync")
    ended = subprocess.run(
        [command, "resolve", "--mapping", "mapping.toml", "cases.jsonl"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    (answer,) = [json.loads(line) for line in ended.stdout.splitlines()]
    (decision,) = answer["decisions"]
    assert (decision["rule"], decision["winner"], decision["value"]) == ("RF-1", "salesforce", "CEO")
    assert answer["prospect_changes"] == {"jobTitle": "CEO"}
    assert answer["person_changes"] == {}
