"""`prospect-sync resolve` and `mapping check`, run as commands: the contract's lines, errors and exit codes."""

import json
import subprocess
import sys

import pytest

from prospect_sync.mapping import DEFAULT_MAPPING

MAPPING = """
[[field]]
prospect = "jobTitle"
lead = "Title"
contact = "Title"
behavior = "use_salesforce"

[[field]]
prospect = "employees"
lead = "NumberOfEmployees"
type = "number"
behavior = "use_salesforce"

[[field]]
prospect = "topics__c"
contact = "Topics__c"
type = "multiselect"
behavior = "use_account_engagement"
"""

CASE = {
    "id": "c1",
    "person_type": "Lead",
    "prospect": {"id": 7, "jobTitle": "CTO", "employees": "1", "createdAt": "2026-01-01T00:00:00Z"},
    "person": {"Id": "00Q000000000001AAA", "Title": "CEO", "NumberOfEmployees": 1.0},
    "connector": {"salesforce_user_id": "005000000000009AAA", "account_engagement_user_id": 9},
}


def run(*args, stdin=b""):
    command = [sys.executable, "-m", "prospect_sync.cli", *map(str, args)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)


@pytest.fixture(name="mapping")
def mapping_file(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(MAPPING)
    return path


def resolve(mapping, *lines):
    """Run `resolve` on lines of standard input; gives exit code, answers and standard error."""
    done = run("resolve", "--mapping", mapping, stdin=b"\n".join(lines))
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def line(**changes):
    return json.dumps({**CASE, **changes}).encode()


def test_one_case_in_one_answer_out(mapping):
    code, (answer,), errors = resolve(mapping, line())
    assert (code, errors) == (0, "")
    evidence = [decision.pop("evidence") for decision in answer["decisions"]]
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
            },
            {
                "prospect_field": "employees",
                "person_field": "NumberOfEmployees",
                "rule": "SAME",
                "winner": None,
                "value": None,
                "guarded": False,
            },
        ],
        "prospect_changes": {"jobTitle": "CEO"},
        "person_changes": {},
        "actions": [],
        "problems": [],
    }
    assert evidence == [{"decided_by": "use_salesforce"}, {"decided_by": "equal"}]


def test_blank_lines_are_skipped_and_bad_ones_answered_in_place(mapping):
    code, answers, errors = resolve(mapping, b"", line(id="a"), b" \r", b"{", b"", line(id="b"), line(id="c", person=1))
    assert code == 2
    assert [answer["id"] for answer in answers] == ["a", None, "b", "c"]
    assert answers[1]["error"] == {
        "line": 4,
        "key": "",
        "message": "not valid JSON: Expecting property name enclosed in double quotes at column 2",
    }
    assert answers[3]["error"] == {"line": 7, "key": "person", "message": "must be an object, not a number"}
    assert [json.loads(error) for error in errors.splitlines()] == [answers[1], answers[3]]


def without(key):
    return {name: value for name, value in CASE.items() if name != key}


ROW = {"Field": "Title", "CreatedDate": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("case", "key"),
    [
        *[(without(key), key) for key in CASE],
        ({**CASE, "id": None}, "id"),
        ({**CASE, "id": ["x"]}, "id"),
        ({**CASE, "id": True}, "id"),
        ({**CASE, "person_type": "Account"}, "person_type"),
        ({**CASE, "person_type": ["Lead"]}, "person_type"),
        ({**CASE, "prospect": None}, "prospect"),
        ({**CASE, "prospect": {"id": "x"}}, "prospect.id"),
        ({**CASE, "prospect": {"id": 1.5}}, "prospect.id"),
        ({**CASE, "prospect": {"createdAt": "yesterday"}}, "prospect.createdAt"),
        ({**CASE, "prospect": {"updatedAt": "2026-01-01T00:00:00"}}, "prospect.updatedAt"),
        ({**CASE, "prospect": {"updatedById": {}}}, "prospect.updatedById"),
        ({**CASE, "person": {"Id": 3}}, "person.Id"),
        ({**CASE, "person": {"CreatedDate": 3}}, "person.CreatedDate"),
        ({**CASE, "person": {"LastModifiedById": 3}}, "person.LastModifiedById"),
        ({**CASE, "person": {"LastModifiedDate": "0001-01-01T00:00:00+14:00"}}, "person.LastModifiedDate"),
        ({**CASE, "person": {"AccountId": False}}, "person.AccountId"),
        ({**CASE, "person": {"ConvertedFrom": "x"}}, "person.ConvertedFrom"),
        ({**CASE, "person": {"ConvertedFrom": {"CreatedDate": ""}}}, "person.ConvertedFrom.CreatedDate"),
        ({**CASE, "account_name": 7}, "account_name"),
        ({**CASE, "history": {}}, "history"),
        ({**CASE, "history": [None]}, "history[0]"),
        ({**CASE, "history": [ROW, {"Field": "Title"}]}, "history[1].CreatedDate"),
        ({**CASE, "history": [{**ROW, "Field": 1}]}, "history[0].Field"),
        ({**CASE, "history": [{**ROW, "CreatedById": 1}]}, "history[0].CreatedById"),
        ({**CASE, "history_since": []}, "history_since"),
        ({**CASE, "history_since": {"Title": 1}}, "history_since.Title"),
        ({**CASE, "prospect_field_times": {"jobTitle": {}}}, "prospect_field_times.jobTitle.after"),
        ({**CASE, "prospect_field_times": {"jobTitle": 1}}, "prospect_field_times.jobTitle"),
        (
            {
                **CASE,
                "prospect_field_times": {
                    "jobTitle": {"after": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
                },
            },
            "prospect_field_times.jobTitle.after",
        ),
        ({**CASE, "base": "x"}, "base"),
        ({**CASE, "echo": {"jobTitle": {"written": 1}}}, "echo.jobTitle.stored"),
        ({**CASE, "last_foreign": []}, "last_foreign"),
        ({**CASE, "last_foreign": {"person": 1}}, "last_foreign.person"),
        ({**CASE, "relinked": 1}, "relinked"),
        ({**CASE, "connector": {}}, "connector.salesforce_user_id"),
        (
            {**CASE, "connector": {"salesforce_user_id": 1, "account_engagement_user_id": 1}},
            "connector.salesforce_user_id",
        ),
        ({**CASE, "connector": {"salesforce_user_id": "5"}}, "connector.account_engagement_user_id"),
        ([], ""),
        ("x", ""),
    ],
)
def test_the_key_that_is_wrong_is_named(case, key):
    from prospect_sync.cases import CaseError, read_case

    with pytest.raises(CaseError) as error:
        read_case(json.dumps(case).encode())
    assert error.value.key == key


@pytest.mark.parametrize(
    "bad",
    [
        b'{"id": "x", "n": NaN}',
        b'{"id": "x", "n": -Infinity}',
        b'{"id": "x", "id": "y"}',
        b'{"id": "x", "n": 1e99999999999999999999}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'"\xff"',
        b"\x00",
        b"null",
        b'{"id": "x"} {"id": "y"}',
    ],
)
def test_no_line_brings_it_down(mapping, bad):
    code, answers, errors = resolve(mapping, line(id="a"), bad, line(id="b"))
    assert code == 2
    assert [answer["id"] for answer in answers] == ["a", None, "b"]
    assert answers[1]["error"]["line"] == 2
    assert "Traceback" not in errors


def test_numbers_are_exact_and_surrogates_pass(mapping):
    digits = "9" * 30 + ".10"
    case = json.dumps({**CASE, "person": {"Title": "\ud800", "NumberOfEmployees": 0}}).replace(": 0}", f": {digits}}}")
    done = run("resolve", "--mapping", mapping, stdin=case.encode())
    assert done.returncode == 0
    assert json.loads(done.stdout)["prospect_changes"] == {"jobTitle": "\ud800", "employees": "9" * 30 + ".1"}
    assert f'"value": {digits}'.encode() in done.stdout


@pytest.mark.parametrize("number", ["1" * 5000, "1e400000000", "-1e-400000000"])
def test_numbers_beyond_any_field_are_unread(mapping, number):
    case = json.dumps({**CASE, "person": {"Title": "CTO", "NumberOfEmployees": 0}}).replace(": 0}", f": {number}}}")
    code, (answer,), _ = resolve(mapping, case.encode())
    assert (code, answer["decisions"][1]["rule"], answer["prospect_changes"]) == (0, "UNREAD", {})
    assert [(problem["rule"], problem["prospect_field"]) for problem in answer["problems"]] == [("UNREAD", "employees")]


def test_a_file_of_cases_with_all_that_may_be_known(mapping, tmp_path):
    case = {
        **CASE,
        "person_type": "Contact",
        "prospect": {
            "jobTitle": "CTO",
            "topics__c": ["a", "b"],
            "updatedAt": "2026-01-01T00:00:00+0000",
            "updatedById": "9",
        },
        "person": {"Title": "CTO", "Topics__c": "a", "AccountId": None, "ConvertedFrom": None},
        "account_name": None,
        "history": [ROW],
        "history_since": {"Title": None},
        "prospect_field_times": {
            "jobTitle": {"after": "2026-01-01T00:00:00.9Z", "until": "2026-01-01T00:00:00.1Z"},
            "x": None,
        },
        "base": {"jobTitle": [[]]},
        "echo": {"phone": {"written": 1, "stored": None}},
        "last_foreign": {"person": "2026-01-01T00:00:00Z", "prospect": None},
        "relinked": False,
        "something else": {"x": [1]},
    }
    cases = tmp_path / "cases.jsonl"
    cases.write_bytes(b"\xef\xbb\xbf" + json.dumps(case).encode() + b"\r\n\r\n")
    done = run("resolve", "--mapping", mapping, cases)
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert [decision["rule"] for decision in answer["decisions"]] == ["SAME", "AE-1"]
    assert answer["person_changes"] == {"Topics__c": "a;b"}


def test_a_mapping_that_does_not_validate_stops_before_any_line(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("[conector]\n[[field]]\nprospect = 1\n")
    done = run("resolve", "--mapping", path, stdin=line())
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"m.toml:1: conector: unknown table; did you mean connector?" in done.stderr
    assert b"m.toml:3: field.prospect" in done.stderr


def test_files_that_are_not_there(tmp_path, mapping):
    nowhere = tmp_path / "nowhere"
    for args in (["--mapping", nowhere], ["--mapping", mapping, nowhere]):
        done = run("resolve", *args)
        assert (done.returncode, done.stdout) == (2, b"")


def test_answers_come_while_the_input_is_still_open(mapping):
    command = [sys.executable, "-m", "prospect_sync.cli", "resolve", "--mapping", str(mapping)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        running.stdin.write(line(id="first") + b"\n")
        running.stdin.flush()
        assert json.loads(running.stdout.readline())["id"] == "first"
        running.stdin.close()
        assert running.wait(timeout=30) == 0


def test_a_reader_that_goes_away_is_no_traceback(mapping, tmp_path):
    cases = tmp_path / "cases.jsonl"
    cases.write_bytes((line() + b"\n") * 2000)
    command = [sys.executable, "-m", "prospect_sync.cli", "resolve", "--mapping", str(mapping), str(cases)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=30) == 1
        assert running.stderr.read() == b""


def test_mapping_check_in_words_and_in_json():
    words = run("mapping", "check", DEFAULT_MAPPING)
    assert words.returncode == 0
    assert "jobTitle" in words.stdout.decode()
    answer = json.loads(run("mapping", "check", "--json", DEFAULT_MAPPING).stdout)
    assert answer["valid"] is True
    assert {
        "prospect": "department",
        "lead": None,
        "contact": "Department",
        "type": "text",
        "behavior": "use_salesforce",
        "tie": "salesforce",
        "without_history": "record",
        "clears": None,
    } in answer["fields"]


def test_mapping_check_lists_all_problems(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("[conector]\n[[field]]\nprospect = 1\n")
    done = run("mapping", "check", path)
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 3)
    answer = json.loads(run("mapping", "check", "--json", path).stdout)
    assert (answer["valid"], answer["problems"][0]["line"]) == (False, 1)


def test_help_and_version():
    shown = run("--help").stdout.decode()
    assert all(verb in shown for verb in ("resolve", "mapping", "sandbox", "Examples"))
    assert run("--version").stdout.startswith(b"prospect-sync ")
    assert b"Example" in run("resolve", "--help").stdout
