"""Stories of the listener, over real gRPC: edits arrive at once, and no death, drop or lost place loses one.

The pollers of leads and contacts are switched off unless a story says so: what arrives, arrived by event.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from prospect_sync.stores.sql import SqlMarks, make_engine
from tests.support.stack import MAPPING, MadePair, Stack, make_pair, running_stack, wait_for

NEVER = "1000000"
EVENTS = {"EVENTS__SOURCE": "events", "EVENTS__SWEEP": NEVER, "SCHEDULE__PEOPLE": NEVER, "EVENTS__RETRY": "2"}
LEADS = "/data/LeadChangeEvent"
ACCOUNT = "0015g0000000001AAA"


@dataclass
class Story:
    """A stack with listeners beside its worker."""

    stack: Stack
    listeners: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def listen(self) -> subprocess.Popen[bytes]:
        self.listeners.append(self.stack._spawn("listen"))
        return self.listeners[-1]

    def listen_and_wait(self, streams: int = 2) -> subprocess.Popen[bytes]:
        process = self.listen()
        wait_for("the streams", lambda: len(self.stack.admin.events()["streams"]) == streams)
        return process

    def kill(self, listener: subprocess.Popen[bytes]) -> None:
        os.killpg(listener.pid, signal.SIGKILL)
        listener.wait()
        wait_for("the server to notice", lambda: not self.stack.admin.events()["streams"])

    def stop(self) -> None:
        for listener in self.listeners:
            if listener.poll() is None:
                listener.terminate()
                listener.wait(20)

    def note(self, key: str) -> str | None:
        engine = make_engine(self.stack.database_url)
        try:
            return SqlMarks(engine).note(key)
        finally:
            engine.dispose()

    def restart_beat(self, **settings: str) -> None:
        assert self.stack.beat is not None
        self.stack.beat.terminate()
        self.stack.beat.wait(20)
        self.stack.settings.update(settings)
        self.stack.beat = self.stack._spawn("beat")

    def swept_once(self) -> None:
        """Let the poller look at everything once, and never again: now there are low marks."""
        self.restart_beat(EVENTS__SWEEP="1")
        wait_for("a look at all people", lambda: len(self.people_polls()) >= 2)
        self.restart_beat(EVENTS__SWEEP=NEVER)
        self.stack.quiet()

    def people_polls(self) -> list[dict[str, Any]]:
        calls = self.stack.admin.calls(org="salesforce", user="connector")
        return [
            call
            for call in calls
            if any("ORDER BY SystemModstamp" in part.get("soql", "") for part in call.get("subrequests") or ())
        ]


@contextlib.contextmanager
def story(directory: Path, **options: Any) -> Iterator[Story]:
    with running_stack(directory, settings=EVENTS, **options) as stack:
        stack.settings["EVENTS__ADDRESS"] = stack.sandbox["pubsub_address"]
        told = Story(stack)
        try:
            yield told
        finally:
            told.stop()


def in_step(told: Story, count: int, *, swept: bool = False) -> list[MadePair]:
    """Pairs that the worker has seen once; Account Engagement's poll alone brought them."""
    pairs = [make_pair(number, "Lead" if number % 2 else "Contact") for number in range(1, count + 1)]
    stack = told.stack
    stack.load(pairs)
    stack.start()
    wait_for("the first look at every pair", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= count)
    stack.quiet()
    if swept:
        told.swept_once()
    assert stack.writes() == 0
    return pairs


def titles(stack: Stack) -> dict[int, str]:
    """The job titles as Account Engagement holds them."""
    return {row["id"]: row["jobTitle"] for row in stack.admin.dump("Prospect")["account_engagement"]["prospects"]}


def arrived(stack: Stack, titled: dict[int, str]) -> Callable[[], bool]:
    return lambda: titled.items() <= titles(stack).items()


def test_an_edit_arrives_within_seconds_and_without_a_poll_of_people(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 10)
        told.listen_and_wait()
        polls = len(told.people_polls())
        for pair in pairs:
            stack.sales(pair, {"Title": f"Title {pair.number}"})
        wait_for("all titles", arrived(stack, {pair.number: f"Title {pair.number}" for pair in pairs}), 10)
        stack.quiet()
        assert len(told.people_polls()) == polls
        assert stack.writes() == 10
        assert not stack.desk()


def test_a_listener_killed_in_mid_stream_loses_nothing(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 60)
        listener = told.listen_and_wait()
        for number, pair in enumerate(pairs):
            stack.sales(pair, {"Title": f"Title {pair.number}"})
            if number == 20:
                told.kill(listener)
            if number == 40:
                listener = told.listen()
        wait_for("all titles", arrived(stack, {pair.number: f"Title {pair.number}" for pair in pairs}), 30)
        told.kill(listener)
        for pair in pairs:
            stack.sales(pair, {"Title": f"Later {pair.number}"})
        told.listen_and_wait()
        wait_for("all titles", arrived(stack, {pair.number: f"Later {pair.number}" for pair in pairs}), 30)
        stack.quiet()
        assert not told.people_polls()


def test_dropped_connections_and_refused_tokens_cost_a_moment(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 10)
        told.listen_and_wait()
        troubles: list[Callable[[], None]] = [
            stack.admin.drop_streams,
            lambda: stack.admin.drop_streams("INTERNAL"),
            lambda: stack.admin.expire_tokens("connector"),
        ]
        for round_, trouble in enumerate(troubles):
            for pair in pairs[:5]:
                stack.sales(pair, {"Title": f"{round_} {pair.number}"})
            trouble()
            for pair in pairs[5:]:
                stack.sales(pair, {"Title": f"{round_} {pair.number}"})
            wait_for("all titles", arrived(stack, {pair.number: f"{round_} {pair.number}" for pair in pairs}), 20)
        stack.quiet()
        assert len(stack.events("events.broken")) == 4
        assert not told.people_polls()
        assert not stack.desk()


def test_a_place_that_expired_is_followed_by_a_sweep(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 6, swept=True)
        listener = told.listen_and_wait()
        stack.sales(pairs[0], {"Title": "heard"})
        wait_for("the first title", arrived(stack, {1: "heard"}))
        wait_for("its place", lambda: told.note(f"events place {LEADS}"))
        told.kill(listener)
        stack.sales(pairs[2], {"Title": "no event tells of it"})
        stack.admin.expire_events("2100-01-01T00:00:00Z")
        stack.sales(pairs[4], {"Title": "the oldest event kept"})
        told.listen()
        wait_for("both titles", arrived(stack, {3: "no event tells of it", 5: "the oldest event kept"}), 30)
        assert len(stack.events("events.replay_lost")) == 1
        assert [entry.item.words for entry in stack.desk()] == [
            "Salesforce no longer keeps the change events that followed the last one we had"
        ]
        wait_for("a place again", lambda: told.note(f"events place {LEADS}") not in (None, "oldest"))


def test_an_overflow_is_followed_by_a_sweep_while_the_stream_goes_on(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 6, swept=True)
        told.listen_and_wait()
        stack.admin.configure(salesforce={"events": {"capture": {"Lead": False}}})
        stack.sales(pairs[0], {"Title": "one of too many"})
        stack.admin.configure(salesforce={"events": {}})
        stack.admin.overflow_event("Lead")
        stack.sales(pairs[2], {"Title": "right after"})
        wait_for("both titles", arrived(stack, {1: "one of too many", 3: "right after"}), 20)
        assert len(stack.events("events.swept")) == 1


def test_a_gap_event_is_a_hint(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 4)
        told.listen_and_wait()
        stack.admin.configure(salesforce={"events": {"capture": {"Lead": False}}})
        stack.sales(pairs[0], {"Title": "not told how"})
        stack.admin.configure(salesforce={"events": {}})
        stack.admin.gap_event(pairs[0].person_id)
        wait_for("the title", arrived(stack, {1: "not told how"}), 20)


def test_an_object_without_change_data_capture_stands_on_the_desk_and_is_polled(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        stack.settings["SCHEDULE__PEOPLE"] = "1"
        pairs = in_step(told, 4)
        stack.admin.configure(salesforce={"events": {"capture": {"Lead": False}}})
        told.listen()
        wait_for("the desk", stack.desk)
        (entry,) = stack.desk()
        assert (entry.item.cause, str(entry.item.ref)) == ("misconfigured", f"service:{LEADS}")
        stack.sales(pairs[0], {"Title": "polled"})
        stack.sales(pairs[1], {"Title": "heard"})
        wait_for("both titles", arrived(stack, {1: "polled", 2: "heard"}), 20)


def test_the_second_listener_stands_by_until_the_first_is_gone(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 2)
        first = told.listen_and_wait()
        second = told.listen()
        wait_for("the second to stand by", lambda: stack.events("listener.standby"))
        assert len(stack.admin.events()["streams"]) == 2
        first.terminate()
        assert first.wait(20) == 0
        wait_for("the second's streams", lambda: len(stack.admin.events()["streams"]) == 2)
        stack.sales(pairs[0], {"Title": "heard by the second"})
        wait_for("the title", arrived(stack, {1: "heard by the second"}))
        assert second.poll() is None
        assert [event["event"] for event in stack.events("listener.stopped")] == ["listener.stopped"]


def test_what_a_trigger_adds_to_our_own_write_is_synced(tmp_path: Path) -> None:
    """The connector writes a phone; a flow in the same transaction sets the title. One event tells of both."""
    with story(tmp_path) as told:
        stack = told.stack
        (pair, *_) = in_step(told, 2)
        told.listen_and_wait()
        stack.marketing(pair, {"phone": "030 1"})
        wait_for("our write", lambda: stack.committed("salesforce"))
        stack.admin.edit(
            "salesforce", "connector", {"Phone": "030 2", "Title": "Set by a flow"},
            record_id=pair.person_id, object_name=pair.kind,
        )  # fmt: skip
        wait_for("the flow's title", arrived(stack, {1: "Set by a flow"}), 20)


def test_our_own_writes_cause_no_further_look(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 20)
        told.listen_and_wait()
        for pair in pairs:
            stack.marketing(pair, {"phone": f"030 {pair.number}"})
        wait_for("our writes", lambda: len(stack.committed("salesforce")) == 20)
        wait_for("their events", lambda: sum(
            users.get("connector", 0) for users in stack.admin.events()["delivered"].values()
        ) >= 20)  # fmt: skip
        stack.quiet()
        assert sum(event["pairs"] for event in stack.events("batch.synced")) == 2 * 20
        assert stack.writes() == 20


def test_a_renamed_account_reaches_the_prospects_of_its_contacts(tmp_path: Path) -> None:
    company = (
        '\n[[field]]\nprospect = "company"\nlead = "Company"\ncontact = "Account.Name"\nbehavior = "use_salesforce"\n'
    )
    with story(tmp_path, mapping=MAPPING + company) as told:
        stack = told.stack
        pairs = [make_pair(number, "Contact", company="Alder Works") for number in (2, 4)]
        stack.admin.load(salesforce={"records": {"Account": [{"Id": ACCOUNT, "Name": "Alder Works"}]}})
        stack.admin.load(
            salesforce={"records": {"Contact": [{**pair.person, "AccountId": ACCOUNT} for pair in pairs]}},
            account_engagement={"prospects": [pair.prospect for pair in pairs]},
        )
        stack.start()
        wait_for("the first look", lambda: sum(e["pairs"] for e in stack.events("batch.synced")) >= 2)
        stack.quiet()
        told.listen_and_wait(3)
        stack.admin.edit("salesforce", "sales", {"Name": "Birch Works"}, record_id=ACCOUNT, object_name="Account")

        def companies() -> set[str]:
            return {row["company"] for row in stack.admin.dump("Prospect")["account_engagement"]["prospects"]}

        wait_for("the new name", lambda: companies() == {"Birch Works"}, 20)


def test_with_the_poller_as_source_there_is_nothing_to_listen_to(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        told.stack.settings["EVENTS__SOURCE"] = "poll"
        listener = told.listen()
        assert listener.wait(30) == 0
        assert "the poller" in told.stack.logs[-1].read_text()


@pytest.mark.timeout(300)
def test_a_hundred_edits_arrive_within_the_promised_time(tmp_path: Path) -> None:
    """The figures themselves are `bench/listener_latency.py`'s."""
    with story(tmp_path) as told:
        stack = told.stack
        pairs = in_step(told, 100)
        told.listen_and_wait()
        taken = []
        for pair in pairs:
            title = f"Title {pair.number}"
            began = time.monotonic()
            stack.sales(pair, {"Title": title})
            wait_for("its title", arrived(stack, {pair.number: title}), 30, every=0.02)
            taken.append(time.monotonic() - began)
        taken.sort()
        assert taken[50] < 2
        assert taken[95] < 5
