"""How long an edit in Salesforce takes to Account Engagement with the listener on; `python -m bench.listener_latency`.

Everything real but the two orgs. One edit at a time, then the same number at a given rate; both legs have the latency given.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from tests.support.stack import Stack, make_pair, running_stack, wait_for

NEVER = "1000000"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--edits", type=int, default=100)
    options.add_argument("--latency-ms", type=float, default=100)
    options.add_argument("--rate", type=float, default=50, help="edits a second in the second part")
    given = options.parse_args()
    settings = {"EVENTS__SOURCE": "events", "EVENTS__SWEEP": NEVER, "SCHEDULE__PEOPLE": NEVER}
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder), settings=settings) as stack:
        stack.settings["EVENTS__ADDRESS"] = stack.sandbox["pubsub_address"]
        pairs = [make_pair(number, "Lead" if number % 2 else "Contact") for number in range(1, given.edits + 1)]
        stack.load(pairs)
        stack.start()
        wait_for("the first look", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= given.edits)
        stack.quiet()
        listener = stack._spawn("listen")  # noqa: SLF001 - the stack's own way to start a process
        try:
            wait_for("the streams", lambda: len(stack.admin.events()["streams"]) == 2)
            stack.admin.latency(given.latency_ms)
            tell("one at a time", measure(stack, pairs, "one", None))
            tell(f"{given.rate:g} a second", measure(stack, pairs, "many", 1 / given.rate))
        finally:
            listener.terminate()
            listener.wait(20)


def measure(stack: Stack, pairs: list, word: str, pause: float | None) -> list[float]:
    """Edit each pair's title; gives the seconds until each stood in Account Engagement."""
    began: dict[int, float] = {}
    took: dict[int, float] = {}
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            prospects = stack.admin.dump("Prospect")["account_engagement"]["prospects"]
            now = time.monotonic()
            for row in prospects:
                if row["id"] not in took and row["id"] in began and row["jobTitle"] == f"{word} {row['id']}":
                    took[row["id"]] = now - began[row["id"]]
            time.sleep(0.02)

    looking = threading.Thread(target=look)
    looking.start()
    for pair in pairs:
        began[pair.number] = time.monotonic()
        stack.sales(pair, {"Title": f"{word} {pair.number}"})
        if pause is None:
            wait_for("its title", lambda number=pair.number: number in took, every=0.01)
        else:
            time.sleep(max(0.0, began[pair.number] + pause - time.monotonic()))
    wait_for("all titles", lambda: len(took) == len(pairs), 120)
    over.set()
    looking.join()
    return sorted(took.values())


def tell(what: str, took: list[float]) -> None:
    """Print the quantiles."""
    at = [took[min(len(took) - 1, int(len(took) * share))] for share in (0.5, 0.95, 0.99)]
    print(f"{what}: p50 {at[0]:.2f} s, p95 {at[1]:.2f} s, p99 {at[2]:.2f} s of {len(took)} edits")


if __name__ == "__main__":
    main()
