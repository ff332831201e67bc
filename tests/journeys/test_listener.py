"""Stories of the listener, over real gRPC: edits arrive at once, and no death, drop or lost place loses one.

The pollers of leads and contacts are switched off unless a story says so: what arrives, arrived by event.
"""

import contextlib
import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from prospect_sync.stores.sql import SqlMarks, make_engine
from tests.support.stack import MAPPING, MadePair, Stack, make_pair, running_stack, wait_for

NEVER = "1000000"
EVENTS = {"EVENTS__SOURCE": "events", "EVENTS__SWEEP": NEVER, "SCHEDULE__PEOPLE": NEVER, "EVENTS__RETRY": "2"}
COMPANY = """
[[field]]
prospect = "company"
lead = "Company"
contact = "Account.Name"
behavior = "use_salesforce"
"""
TOPICS = ("/data/LeadChangeEvent", "/data/ContactChangeEvent")
PAIRS = 250


@dataclass
class Story:
    """A stack with listeners beside its worker, and pairs that no story has used yet."""

    stack: Stack
    pairs: Iterator[MadePair] = field(default_factory=lambda: iter(()))
    listeners: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def take(self, count: int) -> list[MadePair]:
        return list(itertools.islice(self.pairs, count))

    def listen(self) -> subprocess.Popen[bytes]:
        self.listeners.append(self.stack._spawn("listen"))
        return self.listeners[-1]

    def listen_again(self) -> None:
        self.listen()
        wait_for("the streams", lambda: len(self.stack.admin.events()["streams"]) == 3)

    def kill(self) -> None:
        listener = self.listeners[-1]
        os.killpg(listener.pid, signal.SIGKILL)
        listener.wait()
        wait_for("the server to notice", lambda: not self.stack.admin.events()["streams"])

    def stop(self) -> None:
        for listener in self.listeners:
            if listener.poll() is None:
                listener.terminate()
                listener.wait(20)

    def place(self, topic: str) -> str | None:
        engine = make_engine(self.stack.database_url)
        try:
            return SqlMarks(engine).note(f"events place {topic}")
        finally:
            engine.dispose()

    def people_polls(self) -> int:
        calls = self.stack.admin.calls(org="salesforce", user="connector")
        return sum(
            any("ORDER BY SystemModstamp" in part.get("soql", "") for part in call.get("subrequests") or ())
            for call in calls
        )

    def looks(self) -> int:
        """How often the worker looked at a pair."""
        return sum(event["pairs"] for event in self.stack.events("batch.synced"))

    def arrive(self, titles: Mapping[int, str], seconds: float = 20.0, every: float = 0.1) -> None:
        """Wait until Account Engagement holds these job titles."""

        def held() -> bool:
            rows = self.stack.admin.dump("Prospect")["account_engagement"]["prospects"]
            return titles.items() <= {row["id"]: row["jobTitle"] for row in rows}.items()

        wait_for(f"{len(titles)} titles", held, seconds, every)

    def title(self, pairs: Iterable[MadePair], word: str) -> dict[int, str]:
        """Have sales give each pair a title, and say which."""
        titled = {pair.number: f"{word} {pair.number}" for pair in pairs}
        for pair in pairs:
            self.stack.sales(pair, {"Title": titled[pair.number]})
        return titled

    @contextlib.contextmanager
    def untold(self, kind: str) -> Iterator[None]:
        """No event tells what is done in here; the topic is gone for as long, and its stream finds out later."""
        self.stack.admin.configure(salesforce={"events": {"capture": {kind: False}}})
        yield
        self.stack.admin.configure(salesforce={"events": {}})


@contextlib.contextmanager
def story(directory: Path) -> Iterator[Story]:
    with running_stack(directory, settings=EVENTS, mapping=MAPPING + COMPANY) as stack:
        stack.settings["EVENTS__ADDRESS"] = stack.sandbox["pubsub_address"]
        told = Story(stack)
        try:
            yield told
        finally:
            told.stop()


def in_step(told: Story, count: int) -> None:
    """Pairs that the worker has seen once; Account Engagement's poll alone brought them."""
    pairs = [
        make_pair(number, "Lead" if number % 2 else "Contact", company="Alder Works") for number in range(1, count + 1)
    ]
    stack = told.stack
    stack.load(pairs)
    stack.start()
    wait_for("the first look at every pair", lambda: told.looks() >= count)
    stack.quiet()
    assert stack.writes() == 0
    told.pairs = iter(pairs)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One stack for most of the stories: a listener runs, and its first start's one poll is over."""
    with story(tmp_path_factory.mktemp("listener")) as told:
        in_step(told, PAIRS)
        told.listen_again()
        wait_for("the one poll of a listener that has no place yet", told.people_polls)
        wait_for("its looks", lambda: told.looks() >= 2 * PAIRS)
        told.arrive(told.title(told.take(2), "the first places"))
        for topic in TOPICS:
            wait_for("its place", lambda topic=topic: told.place(topic))
        told.stack.quiet()
        yield told


@pytest.fixture
def unpolled(live: Story) -> Iterator[Story]:
    """The same, and at the end nothing has come by a poll of people."""
    before = live.people_polls()
    yield live
    assert live.people_polls() == before


def test_edits_arrive_within_the_promised_time(unpolled: Story) -> None:
    """The figures themselves are `bench/listener_latency.py`'s."""
    taken, writes = [], unpolled.stack.writes()
    for pair in unpolled.take(40):
        began = time.monotonic()
        unpolled.arrive(unpolled.title([pair], "one by one"), every=0.02)
        taken.append(time.monotonic() - began)
    assert sorted(taken)[20] < 2
    assert sorted(taken)[38] < 5
    unpolled.arrive(unpolled.title(unpolled.take(40), "at once"), 10)
    unpolled.stack.quiet()
    assert unpolled.stack.writes() == writes + 80
    assert not unpolled.stack.desk()


def test_our_own_writes_cause_no_further_look(unpolled: Story) -> None:
    stack, pairs = unpolled.stack, unpolled.take(20)
    looks, writes, heard = unpolled.looks(), len(stack.committed("salesforce")), own_events(stack)
    for pair in pairs:
        stack.marketing(pair, {"phone": f"030 {pair.number}"})
    wait_for("our writes", lambda: len(stack.committed("salesforce")) == writes + 20)
    wait_for("their events", lambda: own_events(stack) >= heard + 20)
    stack.quiet()
    assert unpolled.looks() == looks + 20
    assert len(stack.committed("salesforce")) == writes + 20


def own_events(stack: Stack) -> int:
    """Events delivered to the connector."""
    return sum(users.get("connector", 0) for users in stack.admin.events()["delivered"].values())


def test_what_a_trigger_adds_to_our_own_write_is_synced(unpolled: Story) -> None:
    """A flow under the connector's name sets the title in the transaction of a phone. One event tells of both."""
    stack, (pair,) = unpolled.stack, unpolled.take(1)
    writes = len(stack.committed("salesforce"))
    stack.marketing(pair, {"phone": "030 1"})
    wait_for("our write", lambda: len(stack.committed("salesforce")) > writes)
    stack.admin.edit(
        "salesforce", "connector", {"Phone": "030 2", "Title": "Set by a flow"},
        record_id=pair.person_id, object_name=pair.kind,
    )  # fmt: skip
    unpolled.arrive({pair.number: "Set by a flow"})


def test_a_gap_event_is_a_hint(live: Story) -> None:
    (pair,) = live.take(1)
    with live.untold(pair.kind):
        titled = live.title([pair], "not told how")
    live.stack.admin.gap_event(pair.person_id)
    live.arrive(titled)


def test_an_overflow_is_followed_by_a_sweep_while_the_stream_goes_on(live: Story) -> None:
    pairs = live.take(4)
    with live.untold("Lead"):
        titled = live.title(pairs[:2], "one of too many")
    live.stack.admin.overflow_event("Lead")
    live.arrive(titled | live.title(pairs[2:], "right after"))
    assert [event["kind"] for event in live.stack.events("events.swept")] == ["Lead"]


def test_a_renamed_account_reaches_the_prospects_of_its_contacts(unpolled: Story) -> None:
    stack = unpolled.stack
    contacts = [pair for pair in unpolled.take(6) if pair.kind == "Contact"]
    account = stack.admin.edit("salesforce", "sales", {"Name": "Alder Works"}, object_name="Account", action="create")
    for pair in contacts:
        stack.sales(pair, {"AccountId": account})
    stack.quiet()
    stack.admin.edit("salesforce", "sales", {"Name": "Birch Works"}, record_id=account, object_name="Account")

    def renamed() -> bool:
        rows = stack.admin.dump("Prospect")["account_engagement"]["prospects"]
        return {row["id"] for row in rows if row["company"] == "Birch Works"} == {pair.number for pair in contacts}

    wait_for("the new name", renamed, 20)


def test_dropped_connections_and_refused_tokens_cost_a_moment(unpolled: Story) -> None:
    admin, pairs = unpolled.stack.admin, unpolled.take(10)
    broken = len(unpolled.stack.events("events.broken"))
    troubles: dict[str, Callable[[], None]] = {
        "unavailable": admin.drop_streams,
        "internal": lambda: admin.drop_streams("INTERNAL"),
        "refused": lambda: admin.expire_tokens("connector"),
    }
    for word, trouble in troubles.items():
        before = unpolled.title(pairs[:5], word)
        trouble()
        unpolled.arrive(before | unpolled.title(pairs[5:], word))
    assert len(unpolled.stack.events("events.broken")) == broken + 2 * 3


def test_a_listener_killed_in_mid_stream_loses_nothing(unpolled: Story) -> None:
    pairs = unpolled.take(60)
    heard = unpolled.title(pairs[:20], "before")
    unpolled.kill()
    missed = unpolled.title(pairs[20:40], "while it is dead")
    unpolled.listen()
    late = unpolled.title(pairs[40:], "while it starts")
    unpolled.arrive(heard | missed | late, 30)


def test_the_second_listener_stands_by_until_the_first_is_gone(unpolled: Story) -> None:
    stack = unpolled.stack
    first = unpolled.listeners[-1]
    standing = len(stack.events("listener.standby"))
    second = unpolled.listen()
    wait_for("the second to stand by", lambda: len(stack.events("listener.standby")) > standing)
    assert len(stack.admin.events()["streams"]) == 3
    first.terminate()
    assert first.wait(20) == 0
    assert stack.events("listener.stopped")
    wait_for("the second's streams", lambda: len(stack.admin.events()["streams"]) == 3)
    unpolled.arrive(unpolled.title(unpolled.take(2), "heard by the second"))
    assert second.poll() is None


def test_a_place_that_expired_is_followed_by_a_sweep(live: Story) -> None:
    stack, pairs = live.stack, live.take(4)
    live.kill()
    untold = live.title(pairs[:2], "no event tells of it")
    stack.admin.expire_events("2100-01-01T00:00:00Z")
    live.listen()
    live.arrive(untold | live.title(pairs[2:], "the oldest event kept"), 30)
    assert {event["topic"] for event in stack.events("events.replay_lost")} >= set(TOPICS)
    assert {entry.item.words for entry in stack.desk() if entry.item.cause == "unread"} == {
        "Salesforce no longer keeps the change events that followed the last one we had"
    }
    for topic in TOPICS:
        wait_for("a place again", lambda topic=topic: live.place(topic) not in (None, "oldest"))


def test_an_object_without_change_data_capture_stands_on_the_desk_and_is_polled(tmp_path: Path) -> None:
    with story(tmp_path) as told:
        stack = told.stack
        stack.settings["SCHEDULE__PEOPLE"] = "1"
        in_step(told, 4)
        with told.untold("Lead"):
            told.listen()
            wait_for("the desk", stack.desk)
            (entry,) = stack.desk()
            assert (entry.item.cause, str(entry.item.ref)) == ("misconfigured", "service:/data/LeadChangeEvent")
            told.arrive(told.title(told.take(4), "polled or heard"))


def test_with_the_poller_as_source_there_is_nothing_to_listen_to(tmp_path: Path) -> None:
    with running_stack(tmp_path) as stack:
        told = Story(stack)
        assert told.listen().wait(30) == 0
        assert "the poller" in stack.logs[-1].read_text()
