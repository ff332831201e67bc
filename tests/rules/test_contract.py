"""The command's own contract: lines in and out, malformed lines, exit codes, standard input and error."""

import json
from typing import Any

import pytest

from tests.rules.cases import Answered, pair, run

MAPPING = """
[connector]
multiple_prospects_per_email = false

[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"
"""


def case(name: Any, **changes: Any) -> dict[str, Any]:
    """A well-formed case; a change of `...` takes the key away."""
    whole = {**pair({"jobTitle": "CTO"}, {"Title": "CEO"}), "id": name, **changes}
    return {key: value for key, value in whole.items() if value is not ...}


def lines(*items: Any) -> str:
    return "".join((item if isinstance(item, str) else json.dumps(item)) + "\n" for item in items)


def ids(done: Answered) -> list[Any]:
    return [line["id"] for line in done.lines]


def errors(done: Answered) -> list[dict[str, Any]]:
    return [line for line in done.lines if "error" in line]


MALFORMED: dict[str, tuple[Any, Any, str | None]] = {
    # name: (line, id of the answer, key named by the error; None where the documents name none)
    "no JSON": ("{not json", None, None),
    "cut JSON": ('{"id": "x", "person_type": ', None, None),
    "a list": ("[1, 2]", None, None),
    "a number": ("5", None, None),
    "a text": ('"c1"', None, None),
    "null": ("null", None, None),
    "an empty object": ("{}", None, None),
    "no id": (case(...), None, "id"),
    "no person_type": (case("m1", person_type=...), "m1", "person_type"),
    "no prospect": (case("m2", prospect=...), "m2", "prospect"),
    "no person": (case("m3", person=...), "m3", "person"),
    "no connector": (case("m4", connector=...), "m4", "connector"),
    "an unknown person_type": (case("m5", person_type="Account"), "m5", "person_type"),
    "prospect null": (case("m6", prospect=None), "m6", "prospect"),
    "person a list": (case("m7", person=[]), "m7", "person"),
    "connector a text": (case("m8", connector="005"), "m8", "connector"),
    "prospect a text": (case("m9", prospect="7"), "m9", "prospect"),
    "person_type null": (case("m10", person_type=None), "m10", "person_type"),
    "history a text": (case("m11", history="none"), "m11", "history"),
    "base a list": (case("m12", base=["CEO"]), "m12", "base"),
}


@pytest.fixture(scope="module")
def malformed() -> Answered:
    """Every malformed line, each with a good one behind it, in one process."""
    items: list[Any] = []
    for name, (line, _, _) in MALFORMED.items():
        items += [line, case(f"good after {name}")]
    return run(MAPPING, lines(*items))


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_line_is_answered_with_its_line_and_key(malformed: Answered, name: str) -> None:
    _, expected_id, key = MALFORMED[name]
    index = 2 * list(MALFORMED).index(name)
    answer = malformed.lines[index]
    assert set(answer) == {"id", "error"}
    assert answer["id"] == expected_id
    assert set(answer["error"]) == {"line", "key", "message"}
    assert answer["error"]["line"] == index + 1
    assert answer["error"]["message"].strip()
    if key is not None:
        assert answer["error"]["key"] == key


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_line_does_not_harm_the_next(malformed: Answered, name: str) -> None:
    answer = malformed.lines[2 * list(MALFORMED).index(name) + 1]
    assert answer["id"] == f"good after {name}"
    assert answer["prospect_changes"] == {"jobTitle": "CEO"}


def test_malformed_lines_give_exit_code_2_and_one_line_out_each(malformed: Answered) -> None:
    assert malformed.exit_code == 2
    assert len(malformed.lines) == 2 * len(MALFORMED)


def test_malformed_lines_stand_the_same_on_standard_error(malformed: Answered) -> None:
    said = [json.loads(line) for line in malformed.stderr.split("\n") if line.startswith("{")]
    assert said == errors(malformed)


def test_good_lines_give_exit_code_0_and_nothing_on_standard_error() -> None:
    done = run(MAPPING, lines(case("a"), case("b"), case("c")))
    assert (done.exit_code, ids(done), done.stderr.strip()) == (0, ["a", "b", "c"], "")


def test_an_answer_has_exactly_the_keys_of_the_contract() -> None:
    answer = run(MAPPING, lines(case("c1"))).lines[0]
    evidence = answer["decisions"][0].pop("evidence")
    assert isinstance(evidence, dict)
    assert answer == {
        "id": "c1",
        "decisions": [
            {
                "prospect_field": "jobTitle",
                "person_field": "Title",
                "rule": "SF-1",
                "winner": "salesforce",
                "value": "CEO",
                "guarded": False,
            }
        ],
        "prospect_changes": {"jobTitle": "CEO"},
        "person_changes": {},
        "actions": [],
        "problems": [],
    }


def test_cases_come_from_standard_input_when_no_file_is_named() -> None:
    done = run(MAPPING, lines(case("a"), "{", case("b")), through_stdin=True)
    assert (done.exit_code, ids(done)) == (2, ["a", None, "b"])


def test_blank_lines_get_no_answer() -> None:
    done = run(MAPPING, "\n" + lines(case("a"), "", "   ", "\t", case("b")) + "\n \n")
    assert (done.exit_code, ids(done)) == (0, ["a", "b"])


def test_the_last_line_needs_no_end() -> None:
    done = run(MAPPING, lines(case("a"), case("b")).rstrip("\n"))
    assert (done.exit_code, ids(done)) == (0, ["a", "b"])


def test_lines_may_end_as_on_windows() -> None:
    done = run(MAPPING, lines(case("a"), case("b")).replace("\n", "\r\n"))
    assert (done.exit_code, ids(done)) == (0, ["a", "b"])


def test_no_lines_give_no_answer() -> None:
    done = run(MAPPING, "")
    assert (done.exit_code, done.stdout, done.stderr.strip()) == (0, "", "")


def test_only_newlines_part_lines() -> None:
    # U+2028 and U+0085 may stand raw in a JSON text; they end no line.
    odd = json.dumps(case("odd", person={**case("x")["person"], "Title": "a\u2028b\u0085c\u2029d"}), ensure_ascii=False)
    done = run(MAPPING, lines(case("a"), odd, case("b")))
    assert (done.exit_code, ids(done)) == (0, ["a", "odd", "b"])
    assert done.lines[1]["prospect_changes"] == {"jobTitle": "a\u2028b\u0085c\u2029d"}


def test_answers_of_odd_values_are_one_line_each() -> None:
    done = run(MAPPING, lines(case("a", person={**case("x")["person"], "Title": "a\nb\r\nc"}), case("b")))
    assert done.stdout.count("\n") == 2
    assert done.lines[0]["prospect_changes"] == {"jobTitle": "a\nb\r\nc"}


def test_bytes_that_are_no_utf_8_are_a_malformed_line() -> None:
    done = run(MAPPING, lines(case("a")).encode() + b'{"id": "\xff\xfe"}\n' + lines(case("b")).encode())
    assert (done.exit_code, ids(done)) == (2, ["a", None, "b"]) or (done.exit_code, len(done.lines)) == (2, 3)
    assert [line["id"] for line in (done.lines[0], done.lines[2])] == ["a", "b"]


def test_one_id_twice_is_answered_twice_in_order() -> None:
    done = run(MAPPING, lines(case("a"), case("a", prospect={**case("x")["prospect"], "jobTitle": "CEO"})))
    assert [line["decisions"][0]["rule"] for line in done.lines] == ["SF-1", "SAME"]


ODD: list[Any] = [
    case("o1", prospect={}),
    case("o2", person={}),
    case("o3", prospect={"id": None, "jobTitle": {"a": 1}}),
    case("o4", person={"Id": 5, "Title": ["x"], "CreatedDate": "yesterday"}),
    case("o5", connector={}),
    case("o6", history=[{"Field": "Title"}]),
    case("o7", history=[None, 5, "x"]),
    case("o8", history_since={"Title": "some day"}),
    case("o9", prospect_field_times={"jobTitle": {"after": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}}),
    case("o10", prospect_field_times={"jobTitle": None}),
    case("o11", echo={"jobTitle": {}}),
    case("o12", last_foreign={"person": "soon"}),
    case("o13", relinked="yes"),
    case("o14", person={"ConvertedFrom": []}),
    case(15),
    case(None),
    case({"a": 1}),
    case("o18", person={"Title": 1e308, "LastModifiedDate": "0001-01-01T00:00:00+14:00"}),
    case("o19", person={"Title": "\ud800"}),
    case("o20", prospect={"jobTitle": True}, person={"Title": 1}),
    '{"id": "o21", "person_type": "Lead", "prospect": {"jobTitle": NaN}, "person": {"Title": 1e999}, "connector": {}}',
    '{"id": "o22", "id": "again"}',
    '{"id": "o23"} trailing',
    "[" * 3000,
]


@pytest.mark.parametrize(
    "behavior", ["use_salesforce", "use_account_engagement", "most_recent_field", "most_recent_record", "fill_blanks"]
)
def test_no_input_raises(behavior: str) -> None:
    done = run(MAPPING.replace("use_salesforce", behavior), lines(*ODD))
    assert "Traceback" not in done.stderr
    assert len(done.lines) == len(ODD)
    assert [set(line) for line in done.lines if "error" not in line] == [
        {"id", "decisions", "prospect_changes", "person_changes", "actions", "problems"}
        for line in done.lines
        if "error" not in line
    ]
    assert done.exit_code == 2
    assert errors(done), "'trailing' and the open brackets at the least are malformed"
