"""The client of the event bus against the sandbox's, over real gRPC and TLS: places, flow control, tokens, refusals."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from prospect_sync.errors import Misconfigured, Stale, SyncError, TryLater
from prospect_sync.model import RecordKind
from prospect_sync.ports import ChangeEvent, ChangeKind, Delivery
from prospect_sync.salesforce.events import EventBusConnection, SalesforceEvents

LEADS = "/data/LeadChangeEvent"
SECONDS = 20.0


class Heard:
    """A stream followed in a thread of its own; ``hold`` makes it slow to deal with what comes."""

    def __init__(self, events: SalesforceEvents, topic: str, **start: Any) -> None:
        self.deliveries: list[Delivery] = []
        self.failure: SyncError | None = None
        self.hold = threading.Event()
        self.hold.set()
        self._events = events
        self._thread = threading.Thread(target=self._run, args=(topic, start), daemon=True)
        self._thread.start()

    def _run(self, topic: str, start: dict[str, Any]) -> None:
        try:
            for delivery in self._events.listen(topic, **start):
                self.deliveries.append(delivery)
                self.hold.wait(SECONDS)
        except SyncError as failure:
            self.failure = failure

    @property
    def events(self) -> list[ChangeEvent]:
        return [event for delivery in list(self.deliveries) for event in delivery.events]

    def wait(self, count: int) -> list[ChangeEvent]:
        self._until(lambda: len(self.events) >= count)
        return self.events

    def wait_for_delivery(self, count: int = 1) -> Delivery:
        self._until(lambda: len(self.deliveries) >= count)
        return self.deliveries[-1]

    def ended(self) -> SyncError | None:
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        return self.failure

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not condition():
            assert self.failure is None, self.failure
            assert time.monotonic() < deadline, f"only {self.deliveries}"
            time.sleep(0.01)


@pytest.fixture
def bus(sandbox, salesforce) -> Iterator[Callable[..., SalesforceEvents]]:
    """Makes clients; whatever was set about events is put back."""
    made: list[SalesforceEvents] = []

    def make(gateway: Any = None, **settings: Any) -> SalesforceEvents:
        contract = sandbox.contract
        chosen = {"address": contract["pubsub_address"], "ca_file": contract["ca_file"], **settings}
        made.append(SalesforceEvents(EventBusConnection(**chosen), gateway or salesforce()))
        return made[-1]

    yield make
    for one in made:
        one.close()
    sandbox.admin.configure(salesforce={"events": {}})


@pytest.fixture
def listening(sandbox, bus) -> Callable[..., Heard]:
    """Starts a stream and waits until the server has it."""

    def start(topic: str = LEADS, events: SalesforceEvents | None = None, **settings: Any) -> Heard:
        before = len(sandbox.admin.events()["streams"])
        heard = Heard(events or bus(), topic, **settings)
        deadline = time.monotonic() + SECONDS
        while len(sandbox.admin.events()["streams"]) <= before:
            assert time.monotonic() < deadline
            assert heard.failure is None, heard.failure
            time.sleep(0.01)
        return heard

    return start


@pytest.fixture
def leads(sandbox, number) -> list[str]:
    rows = [
        {"Id": f"00Q5g{number + place:010d}", "LastName": "x", "Company": "y", "Title": "CEO"} for place in range(250)
    ]
    sandbox.admin.load(salesforce={"records": {"Lead": rows}})
    from prospect_sync.model import id18

    return [id18(str(row["Id"])) for row in rows]


def edit(sandbox, record_id: str, kind: str = "Lead", user: str = "sales", **changes: Any) -> None:
    sandbox.admin.edit("salesforce", user, changes, record_id=record_id, object_name=kind)


def said(event: ChangeEvent) -> dict[str, Any]:
    """The values it shows, but for who wrote them, which it may or may not repeat."""
    return {name: value for name, value in event.values.items() if name != "LastModifiedById"}


# ------------------------------------------------------------------------------------------------ what it says


def test_an_update_says_who_changed_what_of_which_record(sandbox, listening, leads) -> None:
    heard = listening()
    edit(sandbox, leads[0], Title="CTO", HasOptedOutOfEmail=True, City="Rome", LastName="Byron", AnnualRevenue=12.5)
    edit(sandbox, leads[0], Title=None, City=None)
    first, second = heard.wait(2)
    assert (first.kind, first.change, first.ids) == (RecordKind.LEAD, ChangeKind.UPDATE, (leads[0],))
    assert first.by == sandbox.contract_user("sales")
    assert first.fields - {"LastModifiedDate", "LastModifiedById"} == {
        "Title", "HasOptedOutOfEmail", "City", "LastName", "AnnualRevenue",
    }  # fmt: skip
    assert said(first) == {
        "Title": "CTO", "HasOptedOutOfEmail": True, "City": "Rome", "LastName": "Byron", "AnnualRevenue": 12.5,
    }  # fmt: skip
    assert {"Title": None, "City": None, "Street": None}.items() <= said(second).items()  # the whole address is empty
    assert not any(said(second).values())
    assert first.at is not None
    assert (first.gap, first.unbounded) == (False, False)


def test_a_contacts_address_has_its_api_names(sandbox, listening, number) -> None:
    contact = f"0035g{number:010d}"
    sandbox.admin.load(salesforce={"records": {"Contact": [{"Id": contact, "LastName": "x"}]}})
    heard = listening("/data/ContactChangeEvent")
    edit(sandbox, contact, "Contact", MailingCity="Rome", OtherCity="Pisa", MailingStreet="1 Via Appia")
    (event,) = heard.wait(1)
    assert said(event) == {"MailingCity": "Rome", "OtherCity": "Pisa", "MailingStreet": "1 Via Appia"}


def test_an_account_says_its_name(sandbox, listening, number) -> None:
    account = f"0015g{number:010d}"
    sandbox.admin.load(salesforce={"records": {"Account": [{"Id": account, "Name": "Alder Works"}]}})
    heard = listening("/data/AccountChangeEvent")
    edit(sandbox, account, "Account", Name="Birch Works")
    (event,) = heard.wait(1)
    assert event.kind is RecordKind.ACCOUNT
    assert "Name" in event.fields
    assert event.values["Name"] == "Birch Works"


def test_create_delete_and_undelete(sandbox, listening) -> None:
    heard, admin = listening(), sandbox.admin
    record = admin.edit("salesforce", "sales", {"LastName": "x", "Company": "y"}, object_name="Lead", action="create")
    admin.edit("salesforce", "sales", {}, record_id=record, object_name="Lead", action="delete")
    admin.edit("salesforce", "sales", {}, record_id=record, object_name="Lead", action="undelete")
    events = heard.wait(3)
    assert [event.change for event in events] == [ChangeKind.CREATE, ChangeKind.DELETE, ChangeKind.UNDELETE]
    assert {event.ids for event in events} == {(record,)}
    assert all(not event.fields for event in events)


def test_gaps_and_overflows(sandbox, listening, leads) -> None:
    heard = listening()
    sandbox.admin.gap_event(leads[0], change="GAP_DELETE")
    sandbox.admin.overflow_event("Lead")
    gap, overflow = heard.wait(2)
    assert (gap.change, gap.ids, gap.gap, gap.unbounded) == (ChangeKind.DELETE, (leads[0],), True, False)
    assert (overflow.kind, overflow.ids, overflow.gap, overflow.unbounded) == (RecordKind.LEAD, (), True, True)


# ------------------------------------------------------------------------------------------------ places


def test_a_place_is_where_a_stream_goes_on(sandbox, listening, leads) -> None:
    heard = listening()
    edit(sandbox, leads[0], Title="a")
    place = heard.wait_for_delivery().place
    edit(sandbox, leads[0], Title="b")
    edit(sandbox, leads[0], Title="c")
    assert [event.values["Title"] for event in listening(after=place).wait(2)] == ["b", "c"]


def test_from_the_oldest_on(sandbox, listening, leads) -> None:
    edit(sandbox, leads[0], Title="before anybody listened")
    assert listening(oldest=True).wait(1)


def test_a_sign_of_life_has_a_place(sandbox, listening, leads) -> None:
    sandbox.admin.configure(salesforce={"events": {"keepalive_seconds": 0.2}})
    alive = listening().wait_for_delivery()
    assert alive.events == ()
    edit(sandbox, leads[0], Title="after it")
    assert [event.values["Title"] for event in listening(after=alive.place).wait(1)] == ["after it"]


def test_an_expired_place_is_stale(sandbox, listening, bus, leads) -> None:
    heard = listening()
    edit(sandbox, leads[0], Title="x")
    place = heard.wait_for_delivery().place
    sandbox.admin.expire_events("2100-01-01T00:00:00Z")
    failure = Heard(bus(), LEADS, after=place).ended()
    assert isinstance(failure, Stale)
    assert failure.code.endswith("replayid.corrupted")


@pytest.mark.parametrize("place", ["ffff", "no place at all"])
def test_a_corrupt_place_is_stale(bus, place: str) -> None:
    assert isinstance(Heard(bus(), LEADS, after=place).ended(), Stale)


# ------------------------------------------------------------------------------------------------ the stream


def test_no_more_than_the_window_is_under_way_and_everything_comes(sandbox, listening, bus, leads) -> None:
    heard = listening(events=bus(window=20))
    heard.hold.clear()
    sandbox.admin.edits(
        [
            {"org": "salesforce", "user": "sales", "object": "Lead", "id": lead, "changes": {"Title": f"T {lead}"}}
            for lead in leads
        ]
    )
    deadline = time.monotonic() + SECONDS
    before = delivered(sandbox)
    while time.monotonic() < deadline and delivered(sandbox) != before:
        before = delivered(sandbox)
    heard.hold.set()
    events = heard.wait(len(leads))
    assert [event.ids[0] for event in events] == leads
    assert max(len(delivery.events) for delivery in heard.deliveries) <= 20


def delivered(sandbox) -> int:
    time.sleep(0.1)
    return sum(sum(users.values()) for users in sandbox.admin.events()["delivered"].values())


def test_a_dropped_stream_is_later_and_loses_nothing(sandbox, listening, leads) -> None:
    heard = listening()
    edit(sandbox, leads[0], Title="a")
    place = heard.wait_for_delivery().place
    sandbox.admin.drop_streams("UNAVAILABLE")
    assert isinstance(heard.ended(), TryLater)
    edit(sandbox, leads[0], Title="b")
    assert [event.values["Title"] for event in listening(after=place).wait(1)] == ["b"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("INTERNAL", TryLater),
        ("DEADLINE_EXCEEDED", TryLater),
        ("UNKNOWN", TryLater),
        ("CANCELLED", TryLater),
        ("PERMISSION_DENIED", Misconfigured),
        ("FAILED_PRECONDITION", Misconfigured),
    ],
)
def test_a_status_is_one_of_four_failures(sandbox, listening, status: str, kind: type[SyncError]) -> None:
    heard = listening()
    sandbox.admin.drop_streams(status)
    assert isinstance(heard.ended(), kind)


def test_used_up_deliveries_are_waited_out(sandbox, bus, leads) -> None:
    sandbox.admin.configure(salesforce={"events": {"daily_limit": 0}})
    edit(sandbox, leads[0], Title="x")
    failure = Heard(bus(), LEADS, oldest=True).ended()
    assert isinstance(failure, TryLater)
    assert (failure.reason, failure.delay) == ("limit", 300)


def test_a_topic_that_does_not_exist_is_misconfigured(sandbox, bus) -> None:
    failure = Heard(bus(), "/data/OrderChangeEvent").ended()
    assert isinstance(failure, Misconfigured)
    assert failure.code.endswith("topic.not.found")


def test_silence_is_noticed(listening, bus) -> None:
    heard = listening(events=bus(silence=0.5))
    failure = heard.ended()
    assert isinstance(failure, TryLater)
    assert failure.words == "the event bus is silent"


def test_an_address_nobody_answers_at_is_later(bus, sandbox) -> None:
    assert isinstance(Heard(bus(address="127.0.0.1:1"), LEADS).ended(), TryLater)


def test_a_certificate_we_do_not_trust_is_misconfigured(bus) -> None:
    failure = Heard(bus(ca_file=None), LEADS).ended()
    assert isinstance(failure, Misconfigured)
    assert failure.code == "certificate"


def test_close_ends_every_stream_quietly(listening, bus) -> None:
    events = bus()
    first, second = listening(events=events), listening("/data/ContactChangeEvent", events=events)
    events.close()
    assert (first.ended(), second.ended()) == (None, None)
    assert list(events.listen(LEADS)) == []


# ------------------------------------------------------------------------------------------------ tokens


def test_a_refused_token_is_renewed_once_and_nothing_is_lost(sandbox, listening, salesforce, leads) -> None:
    gateway = salesforce()
    events = SalesforceEvents(
        EventBusConnection(sandbox.contract["pubsub_address"], sandbox.contract["ca_file"]), gateway
    )
    with contextlib.closing(events):
        heard = listening(events=events)
        edit(sandbox, leads[0], Title="a")
        heard.wait(1)
        before = gateway.token()
        sandbox.admin.expire_tokens("connector")
        edit(sandbox, leads[0], Title="b")
        assert [event.values["Title"] for event in heard.wait(2)] == ["a", "b"]
        assert gateway.token() != before


def test_a_fresh_token_that_is_refused_is_misconfigured(sandbox, bus, salesforce) -> None:
    class Elsewhere:
        """A gateway whose tokens the event bus does not know."""

        def __init__(self, gateway: Any) -> None:
            self._gateway = gateway
            self.given = 0

        def token(self, refused: Any = None) -> Any:
            self.given += 1
            return replace(self._gateway.token(), access_token=f"unknown {self.given}")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._gateway, name)

    gateway = Elsewhere(salesforce())
    assert isinstance(Heard(bus(gateway), LEADS).ended(), Misconfigured)
    assert gateway.given == 2
