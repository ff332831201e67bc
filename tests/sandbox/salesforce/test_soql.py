"""SOQL: what each clause means, what comes back, and which refusals the vendor would give."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import SALES, lead_id

PEOPLE = [
    {"Id": lead_id(1), "LastName": "Adler", "FirstName": "Ömer", "Company": "Alpha", "Title": "CTO", "City": "Köln",
     "AnnualRevenue": 10.5, "NumberOfEmployees": 5, "HasOptedOutOfEmail": True, "Topics__c": "A;B",
     "CreatedDate": "2026-11-20T10:00:00Z", "Due__c": "2026-11-20", "Rating": "Hot"},
    {"Id": lead_id(2), "LastName": "Berg", "Company": "100% Beta", "Title": "cto", "NumberOfEmployees": 7,
     "Topics__c": "B", "CreatedDate": "2026-11-22T23:59:59Z", "Due__c": "2026-11-23", "Rating": "Hot"},
    {"Id": lead_id(3), "LastName": "Cohn", "Company": "O'Neil \\ Co", "CreatedDate": "2026-11-23T00:00:00Z",
     "OwnerId": "00G5g0000000001EAA", "Rating": "Cold"},
    {"Id": lead_id(4), "LastName": "Dahl", "Company": "1000 Beta", "Title": "CEO", "IsDeleted": True,
     "CreatedDate": "2026-11-01T00:00:00Z"},
]  # fmt: skip


@pytest.fixture
def people(org):
    fields = [
        {"name": "Topics__c", "type": "multipicklist", "picklist": ["A", "B"]},
        {"name": "Due__c", "type": "date"},
    ]
    queue = {"Id": "00G5g0000000001EAA", "Name": "Inbound"}
    org.load({"custom_fields": {"Lead": fields}, "records": {"Group": [queue], "Lead": PEOPLE}})


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ("Title = 'CTO'", [1, 2]),
        ("title != 'CTO'", [3]),
        ("Title <> 'x'", [1, 2, 3]),
        ("Title = null", [3]),
        ("Title = ''", [3]),
        ("Title != null", [1, 2]),
        ("(NOT Title = 'CTO')", [3]),
        ("Title IN ('cto', null)", [1, 2, 3]),
        ("Title NOT IN ('cto')", [3]),
        ("Title NOT IN ('x', null)", [1, 2]),
        ("City = 'KÖLN'", [1]),
        ("FirstName IN ('ömer')", [1]),
        ("FirstName LIKE 'ö%'", [1]),
        ("Company LIKE '100%'", [2]),
        ("Company LIKE '100\\%%'", [2]),
        ("Company LIKE '_lpha'", [1]),
        ("Company = 'O\\'Neil \\\\ Co'", [3]),
        ("Company LIKE 'o\\'neil \\\\%'", [3]),
        ("Name = 'Ömer Adler'", [1]),
        ("LastName > 'adler'", [2, 3]),
        ("LastName >= 'B' AND LastName < 'C'", [2]),
        ("AnnualRevenue > 10", [1]),
        ("NumberOfEmployees IN (5, 7.0)", [1, 2]),
        ("NumberOfEmployees != 5", [2, 3]),
        ("HasOptedOutOfEmail = true", [1]),
        ("HasOptedOutOfEmail = FALSE", [2, 3]),
        ("HasOptedOutOfEmail != true", [2, 3]),
        ("Topics__c INCLUDES ('A')", [1]),
        ("Topics__c INCLUDES ('b')", [1, 2]),
        ("Topics__c INCLUDES ('A;B')", [1]),
        ("Topics__c INCLUDES ('A', 'B')", [1, 2]),
        ("Topics__c EXCLUDES ('A')", [2, 3]),
        ("Topics__c = 'A;B'", [1]),
        ("CreatedDate = TODAY", [3]),
        ("CreatedDate = YESTERDAY", [2]),
        ("CreatedDate < TODAY", [1, 2]),
        ("CreatedDate >= YESTERDAY", [2, 3]),
        ("CreatedDate > YESTERDAY", [3]),
        ("CreatedDate <= YESTERDAY", [1, 2]),
        ("CreatedDate != TODAY", [1, 2]),
        ("CreatedDate = LAST_N_DAYS:1", [2, 3]),
        ("CreatedDate = N_DAYS_AGO:3", [1]),
        ("CreatedDate = THIS_MONTH", [1, 2, 3]),
        ("CreatedDate = LAST_MONTH", []),
        ("CreatedDate = THIS_WEEK", [2, 3]),
        ("CreatedDate > 2026-11-20T10:00:00Z", [2, 3]),
        ("CreatedDate >= 2026-11-20T11:00:00+01:00", [1, 2, 3]),
        ("CreatedDate >= 2026-11-20T10:00:00.500Z", [2, 3]),
        ("Due__c = 2026-11-20", [1]),
        ("Due__c = TODAY", [2]),
        ("Due__c > 2026-11-20", [2]),
        (f"Id = '{lead_id(2)}'", [2]),
        (f"Id > '{lead_id(1)[:15]}'", [2, 3]),
        (f"Id IN ('{lead_id(1)[:15]}', '{lead_id(3)}', '{lead_id(9)}')", [1, 3]),
        ("Owner.Name = 'inbound'", [3]),
        ("Owner.Type = 'Queue'", [3]),
        ("CreatedBy.Name = 'Admin' AND Owner.Name = 'Admin'", [1, 2]),
        ("MasterRecord.Name = null", [1, 2, 3]),
        ("Lead.LastName = 'Berg'", [2]),
        ("Rating = 'Hot' AND (Title = 'x' OR NumberOfEmployees = 7)", [2]),
        ("Rating = 'Cold' OR NumberOfEmployees = 7", [2, 3]),
        ("NOT (Rating = 'Hot' OR Title != null)", [3]),
        ("IsDeleted = true", []),
        ("Id IN (SELECT LeadId FROM LeadHistory WHERE Field = 'Title')", [2]),
        ("Id NOT IN (SELECT LeadId FROM LeadHistory WHERE Field = 'Title')", [1, 3]),
    ],
)
def test_where(org, client, people, where, numbers):
    org.load({"history": {"Lead": [{"LeadId": lead_id(2), "Field": "Title", "CreatedDate": "2026-11-22T00:00:00Z"}]}})
    rows = client.rows(f"SELECT Id FROM Lead WHERE {where} ORDER BY Id")
    assert [row["Id"] for row in rows] == [lead_id(number) for number in numbers]


@pytest.mark.parametrize(
    ("tail", "numbers"),
    [
        ("ORDER BY Title, Id", [3, 1, 2]),
        ("ORDER BY Title NULLS LAST, LastName DESC", [2, 1, 3]),
        ("ORDER BY Title DESC, Id", [3, 1, 2]),
        ("ORDER BY Title DESC NULLS LAST, Id DESC", [2, 1, 3]),
        ("ORDER BY CreatedDate DESC", [3, 2, 1]),
        ("order by Owner.Name nulls last, Id desc LIMIT 2", [2, 1]),
        ("ORDER BY Id LIMIT 1 OFFSET 1", [2]),
        ("ORDER BY Id OFFSET 2", [3]),
        ("LIMIT 0", []),
    ],
)
def test_order_and_bounds(client, people, tail, numbers):
    rows = client.rows(f"SELECT Id FROM Lead {tail}")
    assert [row["Id"] for row in rows] == [lead_id(number) for number in numbers]


def test_query_all_includes_the_recycle_bin(client, people):
    rows = client.rows("SELECT LastName, IsDeleted FROM Lead ORDER BY Id", "queryAll")
    assert [(row["LastName"], row["IsDeleted"]) for row in rows][2:] == [("Cohn", False), ("Dahl", True)]


def test_counting(client, people):
    assert client.query("SELECT COUNT() FROM Lead WHERE Title = 'CTO'") == {"totalSize": 2, "done": True, "records": []}
    assert client.query("SELECT COUNT() FROM Lead LIMIT 2")["totalSize"] == 2


def test_grouping(client, people):
    answer = client.query(
        "SELECT Rating, COUNT(Id) people, COUNT(Title), MAX(CreatedDate), MIN(NumberOfEmployees) FROM Lead "
        "GROUP BY Rating ORDER BY COUNT(Id) DESC"
    )
    assert answer == {
        "totalSize": 2,
        "done": True,
        "records": [
            {"attributes": {"type": "AggregateResult"}, "Rating": "Hot", "people": 2, "expr0": 2,
             "expr1": "2026-11-22T23:59:59.000+0000", "expr2": 5},
            {"attributes": {"type": "AggregateResult"}, "Rating": "Cold", "people": 1, "expr0": 0,
             "expr1": "2026-11-23T00:00:00.000+0000", "expr2": None},
        ],
    }  # fmt: skip


def test_records_carry_their_type_and_address_and_nest_along_paths(client, people):
    answer = client.query(
        "SELECT lastname, Owner.Name, Owner.Email, MasterRecord.Name, MailingCity FROM Lead".replace(
            ", MailingCity", ""
        )
        + f" WHERE Id = '{lead_id(3)}'"
    )
    assert answer == {
        "totalSize": 1,
        "done": True,
        "records": [
            {
                "attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{lead_id(3)}"},
                "LastName": "Cohn",
                "Owner": {
                    "attributes": {"type": "Name", "url": "/services/data/v67.0/sobjects/Group/00G5g0000000001EAA"},
                    "Name": "Inbound",
                    "Email": None,
                },
                "MasterRecord": None,
            }
        ],
    }


def test_account_of_a_contact(org, client):
    org.load({
        "records": {
            "Account": [{"Id": "0015g0000000001AAA", "Name": "Engines"}],
            "Contact": [
                {"Id": "0035g0000000001AAA", "LastName": "A", "AccountId": "0015g0000000001AAA", "OwnerId": SALES},
                {"Id": "0035g0000000002AAA", "LastName": "B"},
            ],
        }
    })  # fmt: skip
    rows = client.rows("SELECT LastName, Account.Name, Account.Owner.Name, Owner.Username FROM Contact ORDER BY Id")
    account = rows[0]["Account"]
    assert account["attributes"] == {
        "type": "Account",
        "url": "/services/data/v67.0/sobjects/Account/0015g0000000001AAA",
    }
    assert (account["Name"], account["Owner"]["Name"]) == ("Engines", "Admin")
    assert rows[0]["Owner"]["Username"] == "sales@sandbox.example"
    assert rows[1]["Account"] is None


@pytest.mark.parametrize(
    ("text", "present", "absent"),
    [
        ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", ["Id", "Address", "Topics__c"], []),
        ("SELECT FIELDS(STANDARD) FROM Lead", ["Id", "Address"], ["Topics__c"]),
        ("SELECT Id, FIELDS(CUSTOM) FROM Lead LIMIT 1", ["Id", "Topics__c"], ["LastName"]),
    ],
)
def test_field_sets(client, people, text, present, absent):
    row = client.rows(text)[0]
    assert [name for name in present if name not in row] == []
    assert [name for name in absent if name in row] == []


def test_pages_follow_a_snapshot(org, client):
    rows = [{"Id": lead_id(n), "LastName": f"L{n:04}", "Company": "C"} for n in range(4500)]
    org.load({"records": {"Lead": rows}})
    first = client.query("SELECT Id, LastName FROM Lead ORDER BY LastName DESC")
    assert (first["totalSize"], first["done"], len(first["records"])) == (4500, False, 2000)
    assert first["nextRecordsUrl"] == "/services/data/v67.0/query/01g8d0000000001AAA-2000"
    client.post("sobjects/Lead", json={"LastName": "Z", "Company": "C"})
    client.delete(f"sobjects/Lead/{lead_id(2499)}")
    second = client.get(first["nextRecordsUrl"]).json()
    third = client.get(second["nextRecordsUrl"]).json()
    assert (second["totalSize"], second["done"], len(second["records"])) == (4500, False, 1999)
    assert (third["done"], len(third["records"]), "nextRecordsUrl" in third) == (True, 500, False)
    names = [row["LastName"] for page in (first, second, third) for row in page["records"]]
    assert names == [f"L{n:04}" for n in reversed(range(4500)) if n != 2499]


def test_page_size_can_be_lowered_to_200(org, client):
    org.load({"records": {"Lead": [{"Id": lead_id(n), "LastName": "L", "Company": "C"} for n in range(500)]}})
    header = {"Sforce-Query-Options": "batchSize=50"}
    assert len(client.query("SELECT Id FROM Lead", headers=header)["records"]) == 200


def test_a_locator_dies_after_two_days_and_belongs_to_one_user(org, client, clock):
    org.load({"records": {"Lead": [{"Id": lead_id(n), "LastName": "L", "Company": "C"} for n in range(2001)]}})
    place = client.query("SELECT Id FROM Lead")["nextRecordsUrl"]
    refused = [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
    assert client.act_as("sales").get(place).json() == refused
    assert len(client.get(place).json()["records"]) == 1
    clock.step(2 * 86_400 + 1)
    assert client.get(place).json() == refused
    assert client.get("query/nonsense").json() == refused


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("SELECT Nickname FROM Lead", "INVALID_FIELD",
         "\nSELECT Nickname FROM Lead\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nickname' on entity 'Lead'. If"),
        ("SELECT Id FROM Opportunity", "INVALID_TYPE", "sObject type 'Opportunity' is not supported."),
        ("SELECT Id FROM Name", "INVALID_TYPE", "sObject type 'Name' is not supported."),
        ("SELECT Foo.Name FROM Lead", "INVALID_FIELD", "Didn't understand relationship 'foo' in field path."),
        ("SELECT Id FROM Lead WHERE Title = CTO", "MALFORMED_QUERY", "unexpected token: 'CTO'"),
        ("SELECT Id FROM Lead WHERE Title = 5", "INVALID_FIELD",
         "value of filter criterion for field 'Title' must be of type string and should be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD",
         "value of filter criterion for field 'CreatedDate' must be of type dateTime and should not be enclosed in quotes"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Lead WHERE CreatedDate > 2026-02-31T00:00:00Z", "MALFORMED_QUERY", "invalid dateTime"),
        ("SELECT Id FROM Lead WHERE HasOptedOutOfEmail = 'true'", "INVALID_FIELD", "must be of type boolean"),
        ("SELECT Id FROM Lead WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
        ("SELECT Id FROM Lead WHERE Id LIKE '00Q%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_FISCAL_YEAR", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE CreatedDate = LAST_N_DAYS:99999999999", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Lead ORDER BY Description", "MALFORMED_QUERY", "can not be sorted in a query call"),
        ("SELECT CreatedDate FROM Lead GROUP BY CreatedDate", "MALFORMED_QUERY", "can not be grouped in a query call"),
        ("SELECT Title, COUNT(Id) FROM Lead", "MALFORMED_QUERY", "Field must be grouped or aggregated: Title"),
        ("SELECT Id FROM Lead WHERE Title = 'a' AND City = 'b' OR City = 'c'", "MALFORMED_QUERY",
         "unexpected token: 'OR'"),
        ("SELECT Id FROM Lead WHERE Title = 'a' AND NOT City = 'b'", "MALFORMED_QUERY", "unexpected token: 'NOT'"),
        ("SELECT Id FROM Lead WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Lead LIMIT x", "MALFORMED_QUERY", "unexpected token: 'x'"),
        ("SELECT Id FROM Lead FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
        ("SELECT Id FROM Lead ALL ROWS", "MALFORMED_QUERY", "unexpected token: 'ALL'"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT toLabel(Rating) FROM Lead", "MALFORMED_QUERY", "unexpected token: '('"),
        ("SELECT * FROM Lead", "MALFORMED_QUERY", "unexpected token: '*'"),
        ("SELECT Id, id FROM Lead", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT FIELDS(ALL) FROM Lead", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT FIELDS(CUSTOM) FROM Lead LIMIT 201", "MALFORMED_QUERY", "must have a LIMIT of at most 200"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
        ("DELETE FROM Lead", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
        ("SELECT Id FROM Lead WHERE Title = 'a\\x'", "MALFORMED_QUERY", "Illegal character sequence"),
        ("SELECT Id FROM Lead WHERE Title = 'a", "MALFORMED_QUERY", "unexpected token"),
    ],
)  # fmt: skip
def test_refusals(client, text, code, words):
    answer = client.get("query", params={"q": text})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)
    assert words in answer.json()[0]["message"]


def test_a_question_too_deep_or_too_long_is_refused(client):
    deep = "(" * 1500 + "Title = 'x'" + ")" * 1500
    assert client.query(f"SELECT Id FROM Lead WHERE {deep}")[0]["errorCode"] == "QUERY_TOO_COMPLICATED"
    ids = ",".join(f"'{lead_id(n)}'" for n in range(5_000))
    part = {
        "method": "GET",
        "referenceId": "r",
        "url": f"/services/data/v67.0/query?q=SELECT Id FROM Lead WHERE Id IN ({ids})",
    }
    answer = client.post("composite", json={"compositeRequest": [part]}).json()["compositeResponse"][0]
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(("size", "status"), [(15_000, 200), (16_385, 414)])
def test_addresses_longer_than_16_kb(client, size, status):
    text = "SELECT Id FROM Lead"
    head = len("/services/data/v67.0/query?q=SELECT%20Id%20FROM%20Lead")
    answer = client.get(f"query?q={text}{'+' * (size - head)}".replace(" ", "%20"))
    assert answer.status_code == status


def test_address_and_headers_longer_than_16_kb(client):
    assert client.get("limits", headers={"X-Long": "x" * 16_384}).status_code == 431


WORDS = [
    "SELECT",
    "FROM",
    "Lead",
    "Contact",
    "Account",
    "LeadHistory",
    "User",
    "WHERE",
    "AND",
    "OR",
    "NOT",
    "IN",
    "LIKE",
    "INCLUDES",
    "ORDER",
    "BY",
    "GROUP",
    "LIMIT",
    "OFFSET",
    "ASC",
    "DESC",
    "NULLS",
    "FIRST",
    "LAST",
    "COUNT()",
    "COUNT(Id)",
    "MAX(CreatedDate)",
    "MIN(Title)",
    "FIELDS(ALL)",
    "FIELDS(STANDARD)",
    "Id",
    "Name",
    "Title",
    "Email",
    "Owner.Name",
    "Account.Name",
    "Lead.Id",
    "Address",
    "Description",
    "HasOptedOutOfEmail",
    "CreatedDate",
    "NumberOfEmployees",
    "AnnualRevenue",
    "OldValue",
    "=",
    "!=",
    "<",
    ">=",
    "(",
    ")",
    ",",
    "'x'",
    "'%'",
    "'ä'",
    "''",
    "null",
    "true",
    "5",
    "-1",
    "1e999",
    "99999999999999999999",
    "2026-11-23",
    "2026-11-23T10:00:00Z",
    "TODAY",
    "LAST_N_DAYS:5",
]
CONDITIONS = st.builds(
    "{} {} {}".format,
    st.sampled_from(
        ["Id", "Title", "Owner.Name", "CreatedDate", "HasOptedOutOfEmail", "NumberOfEmployees", "Address", "Name"]
    ),
    st.sampled_from(["=", "!=", "<", ">=", "LIKE", "IN", "NOT IN", "INCLUDES"]),
    st.sampled_from([word for word in WORDS if word[0] in "'0123456789-ntTL"] + ["('x', null)", "(5)", "(true)"]),
)
QUERIES = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join),
    st.builds(
        "SELECT {} FROM {} WHERE {} {} {}".format,
        st.sampled_from(["Id", "Id, Owner.Name", "COUNT()", "Title, COUNT(Id) n", "FIELDS(ALL)", "MAX(Title)"]),
        st.sampled_from(["Lead", "Contact", "Account"]),
        st.lists(CONDITIONS, min_size=1, max_size=3).map(" AND ".join),
        st.sampled_from(["", "GROUP BY Title", "ORDER BY Title DESC", "ORDER BY Owner.Name NULLS LAST, Id"]),
        st.sampled_from(["", "LIMIT 1", "LIMIT 0 OFFSET 5", "LIMIT 99999999999999999999"]),
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(QUERIES)
def test_any_text_is_answered_or_refused(client, people, text):
    answer = client.get("query", params={"q": text})
    assert answer.status_code in {200, 400}, text
    assert answer.status_code == 200 or answer.json()[0].keys() == {"message", "errorCode"}
