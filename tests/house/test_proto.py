"""The generated event bus modules belong to their .proto."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "prospect_sync/eventbus"


def test_generating_again_gives_the_same_bytes(tmp_path):
    outs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outs, "prospect_sync/eventbus/pubsub_api.proto"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    made = {path.name: path.read_bytes() for path in (tmp_path / "prospect_sync/eventbus").iterdir()}
    assert sorted(made) == ["pubsub_api_pb2.py", "pubsub_api_pb2.pyi", "pubsub_api_pb2_grpc.py"]
    assert {path.name: path.read_bytes() for path in FOLDER.glob("*_pb2*")} == made
