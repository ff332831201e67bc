"""Instants, numbers and values on the wire."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from prospect_sync import wire


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T10:00:00.000+0000",
        "2026-11-23T10:00:00Z",
        "2026-11-23T05:00:00-05:00",
        "2026-11-23T11:00:00.999+01:00",
    ],
)
def test_instants_come_in_every_spelling_and_lose_their_fraction(text):
    assert wire.instant(text) == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_paging_stamp_keeps_its_fraction():
    found = wire.exact_instant("2026-11-23T10:00:00.250Z")
    assert found == datetime(2026, 11, 23, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "value", ["", "yesterday", "2026-11-23T10:00:00", 5, True, "0001-01-01T00:00:00+10:00", [], {}]
)
def test_what_is_no_instant_says_so(value):
    with pytest.raises(ValueError):
        wire.instant(value)


def test_numbers_keep_every_digit_both_ways():
    assert wire.encode({"a": Decimal("12345678901234567.89"), "b": Decimal("1E+2"), "c": 7}) == (
        b'{"a":12345678901234567.89,"b":100,"c":7}'
    )
    assert wire.decode(b'{"a":12345678901234567.89}') == {"a": Decimal("12345678901234567.89")}


def test_values_without_a_json_form_are_named():
    changes = {
        "phone": "\ud800",
        "score": Decimal("NaN"),
        "rate": float("inf"),
        "object": object(),
        "list": ["ok", "\udfff"],
        "title": "Chef ☕",
        "long": "x" * 1_000_000,
        "nothing": None,
        "yes": True,
        "many": ["a", "b"],
    }
    assert wire.unsendable(changes) == ("phone", "score", "rate", "object", "list")


def test_a_huge_exponent_is_not_written_out():
    assert wire.encode(Decimal("1E+999999")) == b"1E+999999"


@pytest.mark.parametrize("content", [b"<html>", b"", b'{"a":', b"[" * 100_000, b"\xff\xfe\x00"])
def test_what_is_no_json_says_so(content):
    with pytest.raises(ValueError):
        wire.decode(content)


def test_paths_lead_into_objects():
    row = {"Account": {"Name": "Alder"}, "Owner": None, "Name": "x"}
    assert wire.member(row, "Account.Name") == "Alder"
    assert wire.member(row, "Owner.Name") is None
    assert wire.member(row, "Account.City") is wire.MISSING
    assert wire.member(row, "Name.Part") is wire.MISSING


def test_the_vendors_clock_is_that_of_the_question_not_of_the_answer():
    asked = wire.asked_at("Mon, 23 Nov 2026 10:00:20 GMT", timedelta(seconds=12.3), datetime(2020, 1, 1, tzinfo=UTC))
    assert asked == datetime(2026, 11, 23, 10, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize("header", [None, "", "soon"])
def test_without_a_date_our_own_clock_has_to_do(header):
    assert wire.asked_at(header, timedelta(), datetime(2020, 1, 1, 0, 0, 0, 5, tzinfo=UTC)) == datetime(
        2020, 1, 1, tzinfo=UTC
    )
