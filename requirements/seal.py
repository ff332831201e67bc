"""Says whether the lock files still belong to the dependency tables of pyproject.toml, without any network.

``make lock`` writes a digest of those tables and of the lock's own lines into each lock file; ``make check`` compares.
Standard library only: it also runs before anything is installed.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parent / "pyproject.toml"
LOCKS = ("build.txt", "service.txt", "dev.txt")
MARK = "# sealed: "
TITLE = "# Pinned and hashed for every platform by `make lock`; not edited by hand."


def digest(project: str, lines: list[str]) -> str:
    """Digest what a lock depends on, and its own lines, so that neither changes alone."""
    tables = tomllib.loads(project)
    asked = {
        "python": tables["project"]["requires-python"],
        "dependencies": tables["project"]["dependencies"],
        "extras": tables["project"].get("optional-dependencies", {}),
        "groups": tables.get("dependency-groups", {}),
        "lock": lines,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def pinned(lock: Path) -> list[str]:
    """Read a lock without title and seal."""
    return [line for line in lock.read_text().splitlines() if not line.startswith((TITLE, MARK))]


def seal(lock: Path) -> None:
    lines = pinned(lock)
    lock.write_text("\n".join([TITLE, MARK + digest(PROJECT.read_text(), lines), *lines]) + "\n")


def is_sealed(lock: Path) -> bool:
    return MARK + digest(PROJECT.read_text(), pinned(lock)) in lock.read_text().splitlines()


def main(verb: str) -> int:
    locks = [HERE / name for name in LOCKS]
    if verb == "seal":
        for lock in locks:
            seal(lock)
        return 0
    stale = [lock.name for lock in locks if not is_sealed(lock)]
    for name in stale:
        sys.stderr.write(f"requirements/{name} does not belong to pyproject.toml any more: run `make lock`.\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "check"))
