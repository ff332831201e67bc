"""The demo's orgs as the tests need them, made once, and what the resolver says of each pair."""

import functools
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from prospect_sync.sandbox.users import sandbox_users
from worker.demo.edits import linked_pairs
from worker.demo.pairs import make_orgs
from worker.demo.people import SAMPLE, read_pairs
from worker.demo.stage import MAPPING

MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
PAIRS = 1000


@functools.cache
def orgs(pairs=PAIRS, seed=1):
    return make_orgs(read_pairs(SAMPLE, pairs, seed), seed, MIDNIGHT, sandbox_users())


@functools.cache
def pairs():
    return linked_pairs(json.loads(json.dumps(orgs().as_json())))


@functools.cache
def decisions():
    """All decisions of the first sync, as `prospect-sync resolve` takes them: (kind, decision) by pair."""
    made = orgs()
    accounts = {row["Id"]: row["Name"] for row in made.records["Account"]}
    history = {}
    for kind, rows in made.history.items():
        for row in rows:
            history.setdefault(row[f"{kind}Id"], []).append(row)
    users = {user.name: user for user in sandbox_users()}
    connector = users["connector"]
    lines = [
        json.dumps(
            {
                "id": str(pair.prospect_id),
                "person_type": pair.kind,
                "prospect": pair.prospect,
                "person": {"AccountId": None, **pair.person},
                "account_name": accounts.get(pair.person.get("AccountId")),
                "history": history.get(pair.person_id, []),
                "connector": {
                    "salesforce_user_id": connector.salesforce_id,
                    "account_engagement_user_id": connector.account_engagement_id,
                },
            }
        )
        for pair in pairs()
    ]
    ended = subprocess.run(
        [sys.executable, "-c", "from prospect_sync.cli import main; main()", "resolve", "--mapping", str(MAPPING)],
        input="\n".join(lines), capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    plans = [json.loads(line) for line in ended.stdout.splitlines()]
    return {pair.prospect_id: (pair.kind, plan) for pair, plan in zip(pairs(), plans, strict=True)}


def notice():
    return (Path(SAMPLE).parent / "NOTICE").read_text(encoding="utf-8")
