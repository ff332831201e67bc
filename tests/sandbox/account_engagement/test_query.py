"""Queries: fields, filters, order, pages, and the cap on a chain of pages."""

import pytest

PROSPECTS = "/api/v5/objects/prospects"


def test_a_query_answers_the_fields_asked_for_in_their_order(unit):
    assert unit.query(fields="email,id,employees,score,optedOut,phone,updatedAt", orderBy="updatedAt") == {
        "nextPageToken": None,
        "nextPageUrl": None,
        "values": [
            {
                "email": "Ben@X.example",
                "id": 12,
                "employees": None,
                "score": 0,
                "optedOut": False,
                "phone": None,
                "updatedAt": "2026-02-01T00:00:00+00:00",
            },
            {
                "email": "ada@x.example",
                "id": 11,
                "employees": "50",
                "score": 0,
                "optedOut": False,
                "phone": None,
                "updatedAt": "2026-03-01T08:00:00+00:00",
            },
        ],
    }


def test_instants_are_told_in_the_time_zone_of_the_account(unit):
    unit.org.configure({"timezone": "-05:00"})
    [row] = unit.query(fields="updatedAt", id=11)["values"]
    assert row == {"updatedAt": "2026-03-01T03:00:00-05:00"}


def test_related_records_by_dots(unit):
    [row] = unit.query(fields="createdBy.id,createdBy.username,campaign.name,assignedTo.id", id=11)["values"]
    assert row == {
        "createdBy": {"id": 43, "username": "marketing@sandbox.example"},
        "campaign": {"name": "Website"},
        "assignedTo": None,
    }


@pytest.mark.parametrize(
    ("parameters", "ids"),
    [
        ({}, [11, 12]),
        ({"deleted": "all"}, [11, 12, 13]),
        ({"deleted": "true"}, [13]),
        ({"id": 11}, [11]),
        ({"idGreaterThan": 11}, [12]),
        ({"idGreaterThanOrEqualTo": 11, "idLessThan": 12}, [11]),
        ({"idLessThanOrEqualTo": 11}, [11]),
        ({"email": "BEN@x.example"}, [12]),
        ({"updatedAtAfter": "2026-03-01T08:00:00Z"}, []),
        ({"updatedAtAfterOrEqualTo": "2026-03-01T03:00:00-05:00"}, [11]),
        ({"updatedAtBefore": "2026-03-01T08:00:00+00:00"}, [12]),
        ({"createdAtBeforeOrEqualTo": "2026-01-01T00:00:00+00:00"}, [11]),
        ({"lastActivityAtAfter": "2020-01-01T00:00:00Z"}, []),
        ({"userId": 41}, []),
        ({"orderBy": "id DESC"}, [12, 11]),
        ({"orderBy": "updatedAt ASC"}, [12, 11]),
        ({"orderBy": "lastActivityAt DESC, id"}, [11, 12]),
        ({"offset": 1}, [12]),
    ],
)
def test_filters_and_order(unit, parameters, ids):
    assert [row["id"] for row in unit.query(fields="id", **parameters)["values"]] == ids


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"fields": ""}, 13),
        ({}, 13),
        ({"fields": "id,nonsense"}, 180),
        ({"fields": "id,campaign.nonsense"}, 180),
        ({"fields": "Interests__c"}, 224),
        ({"fields": "id", "limit": 0}, 23),
        ({"fields": "id", "limit": 1001}, 23),
        ({"fields": "id", "limit": "ten"}, 23),
        ({"fields": "id", "offset": 2001}, 52),
        ({"fields": "id", "deleted": "maybe"}, 51),
        ({"fields": "id", "orderBy": "phone"}, 51),
        ({"fields": "id", "orderBy": "id UPWARDS"}, 51),
        ({"fields": "id", "salesforceId": "003000000000001AAA"}, 51),
        ({"fields": "id", "id": "1,2"}, 16),
        ({"fields": "id", "updatedAtAfter": "yesterday"}, 7),
        ({"fields": "id", "updatedAtAfter": "2026-01-01T00:00:00"}, 7),
        ({"fields": "id", "updatedAtAfter": "2026-02-01T00:00:00Z", "updatedAtBefore": "2026-01-01T00:00:00Z"}, 8),
        (
            {
                "fields": "id",
                "idGreaterThan": 1,
                "userId": 41,
                "assignedToId": 41,
                "updatedAtAfter": "2026-02-01T00:00:00Z",
            },
            209,
        ),
        ({"fields": "id", "nextPageToken": "nonsense"}, 211),
    ],
)
def test_what_a_query_refuses(unit, parameters, code):
    assert unit.refused("GET", params=parameters) == (400, code)


def test_two_bounds_of_one_field_count_as_one_filter(unit):
    rows = unit.query(
        fields="id", idGreaterThan=1, idLessThan=99, createdAtAfter="2020-01-01T00:00:00Z", email="ada@x.example"
    )
    assert rows["values"] == [{"id": 11}]


def load_many(unit, count: int, updated: str = "2026-05-01T00:00:00Z") -> None:
    unit.org.load(
        {
            "prospects": [
                {"id": number, "email": f"p{number}@y.example", "updatedAt": updated}
                for number in range(100, 100 + count)
            ]
        }
    )


def pages(unit, **first):
    """All pages of a chain, following the tokens."""
    fields = first["fields"]
    found = [unit.query(**first)]
    while found[-1]["nextPageToken"]:
        found.append(unit.query(fields=fields, nextPageToken=found[-1]["nextPageToken"]))
    return [[row["id"] for row in page["values"]] for page in found]


def test_a_page_has_200_rows_unless_told(unit):
    load_many(unit, 250)
    assert [len(page) for page in pages(unit, fields="id")] == [200, 52]


@pytest.mark.parametrize("order", ["updatedAt", "updatedAt DESC", "updatedAt DESC, id ASC", "email", "id"])
def test_no_row_is_lost_or_twice_where_all_stamps_are_equal(unit, order):
    load_many(unit, 25)
    chain = pages(unit, fields="id", orderBy=order, limit=7, idGreaterThanOrEqualTo=100)
    assert [len(page) for page in chain] == [7, 7, 7, 4]
    assert sorted(number for page in chain for number in page) == list(range(100, 125))


def test_the_next_address_leads_to_the_next_page(unit):
    load_many(unit, 3)
    first = unit.query(fields="id,email", limit=3)
    assert first["nextPageUrl"] == (
        f"https://ae.example{PROSPECTS}?fields=id%2Cemail&nextPageToken={first['nextPageToken']}"
    )
    assert unit.http.get(first["nextPageUrl"]).json()["values"] == [
        {"id": 101, "email": "p101@y.example"},
        {"id": 102, "email": "p102@y.example"},
    ]


def test_only_fields_may_come_with_a_page_token(unit):
    token = unit.query(fields="id", limit=1)["nextPageToken"]
    assert unit.refused("GET", params={"fields": "id", "limit": 1, "nextPageToken": token}) == (400, 51)


def test_a_page_token_lives_four_hours(unit):
    token = unit.query(fields="id", limit=1)["nextPageToken"]
    unit.clock.step(4 * 3600)
    assert unit.query(fields="id", nextPageToken=token)["values"] == [{"id": 12}]
    unit.clock.step(1)
    assert unit.refused("GET", params={"fields": "id", "nextPageToken": token}) == (400, 210)


def test_a_changed_page_token_is_invalid(unit):
    token = unit.query(fields="id", limit=1)["nextPageToken"]
    assert unit.refused("GET", params={"fields": "id", "nextPageToken": "A" + token[1:]}) == (400, 211)
    assert unit.refused("GET", params={"fields": "id", "nextPageToken": "ä"}) == (400, 211)


def test_a_chain_ends_at_the_cap_with_a_warning_and_no_token(unit):
    load_many(unit, 20)
    unit.org.configure({"chain_cap": 10})
    first = unit.query(fields="id", limit=7)
    last = unit.http.get(PROSPECTS, params={"fields": "id", "nextPageToken": first["nextPageToken"]})
    assert len(last.json()["values"]) == 3
    assert last.json()["nextPageToken"] is None
    assert last.headers["Pardot-Warning"].startswith("203;")


def test_a_chain_that_ends_exactly_at_the_cap_has_no_warning(unit):
    unit.org.configure({"chain_cap": 2})
    answer = unit.http.get(PROSPECTS, params={"fields": "id"})
    assert len(answer.json()["values"]) == 2
    assert "Pardot-Warning" not in answer.headers
