"""Empty, equal and convert, by type; expected values are written by hand."""

from decimal import Decimal

import pytest

from prospect_sync.model import Side
from prospect_sync.policy import FieldType, convert, equal, is_empty
from prospect_sync.policy.values import ValueMap

TO_SF, TO_AE = Side.SALESFORCE, Side.ACCOUNT_ENGAGEMENT
TEXT, EMAIL, NUMBER, BOOLEAN, DATE, DATETIME, MULTI = FieldType


@pytest.mark.parametrize("kind", list(FieldType))
@pytest.mark.parametrize("value", [None, "", " ", "\t\r\n", "\u00a0\u2003"])
def test_null_and_white_space_are_empty_whatever_the_type(kind, value):
    assert is_empty(kind, value) is True
    assert equal(kind, value, None) is True


@pytest.mark.parametrize(
    ("kind", "value", "empty"),
    [
        (MULTI, [], True),
        (MULTI, [" "], True),
        (MULTI, ";; ;", True),
        (MULTI, "a", False),
        (BOOLEAN, False, False),
        (NUMBER, 0, False),
        (NUMBER, "0", False),
        (TEXT, "x", False),
        # what cannot be read is neither filled nor empty
        (NUMBER, "x", False),
        (TEXT, [], False),
    ],
)
def test_empty(kind, value, empty):
    assert is_empty(kind, value) is empty


@pytest.mark.parametrize(
    ("kind", "left", "right", "same"),
    [
        (TEXT, " a ", "a", True),
        (TEXT, "a", "A", False),
        (TEXT, "caf\u00e9", "cafe\u0301", True),
        (TEXT, "a\r\nb", "a\nb", True),
        (TEXT, "a\rb", "a\nb", False),
        (TEXT, "42", 42, True),
        (TEXT, "42", Decimal("42.0"), True),
        (TEXT, "true", True, True),
        (TEXT, ["a"], ["a"], False),
        (EMAIL, "A@X.org", "a@x.ORG ", True),
        (EMAIL, "stra\u00dfe@x", "STRASSE@x", False),
        (EMAIL, 1, 1, False),
        (NUMBER, "1e3", 1000, True),
        (NUMBER, "1000.10", Decimal("1000.1"), True),
        (NUMBER, "+1", 1.0, True),
        (NUMBER, "-0", 0, True),
        (NUMBER, 0.1, "0.1", True),
        (NUMBER, "0.1", "0.10000000000000000001", False),
        (NUMBER, "1_000", 1000, False),
        (NUMBER, "\u0661", 1, False),
        (NUMBER, "NaN", "NaN", False),
        (NUMBER, float("inf"), float("inf"), False),
        (NUMBER, "1e400", "1e400", True),
        (NUMBER, "1e401", "1e401", False),
        (BOOLEAN, "TRUE", True, True),
        (BOOLEAN, "1", True, True),
        (BOOLEAN, 1, True, True),
        (BOOLEAN, "0", False, True),
        (BOOLEAN, 0, "false", True),
        (BOOLEAN, "yes", "yes", False),
        (BOOLEAN, 2, 2, False),
        (BOOLEAN, [True], [True], False),
        (DATE, "2026-11-20", " 2026-11-20 ", True),
        (DATE, "20261120", "20261120", False),
        (DATE, 20261120, 20261120, False),
        (DATETIME, "2026-11-20T10:00:00Z", "2026-11-20 11:00:00.999+01:00", True),
        (DATETIME, "2026-11-20", "2026-11-20", False),
        (MULTI, ["b", "a", "a"], "a; b;", True),
        (MULTI, {"a": 1}, {"a": 1}, False),
    ],
)
def test_equal(kind, left, right, same):
    assert equal(kind, left, right) is same
    assert equal(kind, right, left) is same


@pytest.mark.parametrize(
    ("kind", "value", "to_sf", "to_ae"),
    [
        (TEXT, " a ", " a ", " a "),
        (TEXT, 5, 5, 5),
        (TEXT, "  ", None, None),
        (NUMBER, "1000.50", Decimal("1000.5"), "1000.5"),
        (NUMBER, Decimal("1E+3"), 1000, "1000"),
        (NUMBER, Decimal("-0.0"), 0, "0"),
        (NUMBER, Decimal("1000.0"), 1000, "1000"),
        (NUMBER, "120", 120, "120"),
        (BOOLEAN, "true", True, True),
        (BOOLEAN, False, False, False),
        (DATE, " 2026-11-20", "2026-11-20", "2026-11-20"),
        (DATETIME, "2026-11-20T11:00:00.5+0100", "2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z"),
        (MULTI, ["b ", "a", "b"], "b;a", ["b", "a"]),
        (MULTI, "b; a;b", "b;a", ["b", "a"]),
        (MULTI, [], None, None),
        (NUMBER, "x", "x", "x"),
    ],
)
def test_convert(kind, value, to_sf, to_ae):
    for side, expected in ((TO_SF, to_sf), (TO_AE, to_ae)):
        converted = convert(kind, value, side)
        assert converted == expected
        assert type(converted) is type(expected)


def test_value_maps_go_both_ways_and_let_others_pass():
    names = ValueMap.of({"IT": "Technology", "EDV": "Technology"})
    assert [convert(TEXT, value, TO_SF, names) for value in ("IT", " EDV ", "Law")] == [
        "Technology",
        "Technology",
        "Law",
    ]
    assert [convert(TEXT, value, TO_AE, names) for value in ("Technology", "Law", None)] == ["IT", "Law", None]
    assert convert(MULTI, ["IT", "Law"], TO_SF, names) == "Technology;Law"
    assert convert(MULTI, "Technology;Law", TO_AE, names) == ["IT", "Law"]
    assert convert(MULTI, [], TO_SF, names) is None
