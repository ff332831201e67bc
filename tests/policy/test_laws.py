"""Laws of the resolver that hold for every mapping and every input; a counterexample becomes a row in the tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prospect_sync.model import (
    ConnectorUsers,
    Echo,
    Evidence,
    HistoryRow,
    Interval,
    Pair,
    Person,
    PersonType,
    Prospect,
    Side,
    Stamp,
)
from prospect_sync.policy import (
    RULES,
    Behavior,
    Clears,
    ConnectorRules,
    FieldMapping,
    FieldType,
    Mapping,
    Tie,
    WithoutHistory,
    history_needed,
    resolve,
)

quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = ["jobTitle", "phone", "city", "optedOut", "email", "company", "score", "userId", "fax"]
OWNER = "005000000000001AAA"
START = datetime(2026, 1, 1, tzinfo=UTC)

instants = st.integers(0, 12).map(lambda second: START + timedelta(seconds=second))
intervals = st.builds(lambda a, b, first: Interval(min(a, b), max(a, b), first), instants, instants, st.booleans())
stamps = st.builds(Stamp, st.none() | instants, st.sampled_from([None, "005000000000009AAA", OWNER, "9", "41"]))

words = st.sampled_from(
    ["A", "B", "b ", "a@x", "A@X", "1", "2", "1.0", "true", "2026-01-01", "x;y", "y;x", OWNER, "41"]
)
empties = st.sampled_from([None, "", "  ", []])
plain = words | empties | st.booleans() | st.integers(0, 2) | st.lists(words, max_size=2)
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text(max_size=5)
    | st.binary(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def mappings(draw, behaviors=tuple(Behavior), clears=(None, *Clears)):
    fields = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True)):
        behavior = draw(st.sampled_from(behaviors))
        clear = draw(st.sampled_from(clears))
        fields.append(
            FieldMapping(
                prospect=name,
                lead=draw(st.sampled_from([None, f"{name}__l"])),
                contact=f"{name}__c",
                behavior=behavior,
                type=draw(st.sampled_from(list(FieldType))),
                tie=draw(st.sampled_from(list(Tie))),
                without_history=draw(st.sampled_from(list(WithoutHistory))),
                clears=None if clear is Clears.SALESFORCE and behavior is not Behavior.USE_SALESFORCE else clear,
            )
        )
    connector = ConnectorRules(
        allow_blank_salesforce=draw(st.booleans()) if clears != (None,) else False,
        multiple_prospects_per_email=draw(st.booleans()),
        follow_salesforce_email=draw(st.booleans()),
        skew_margin=draw(st.sampled_from([0, 1, 3])),
    )
    return Mapping(connector, users={OWNER: "41"}, fields=tuple(fields))


@st.composite
def pairs(draw, mapping, values=plain):
    kind = draw(st.sampled_from(list(PersonType)))
    prospect, person = {}, {}
    for entry in mapping.fields:
        if draw(st.integers(0, 9)):
            prospect[entry.prospect] = draw(values)
        name = entry.person_field(kind)
        if name and draw(st.integers(0, 9)):
            person[name] = draw(values)
    prospect_names = [entry.prospect for entry in mapping.fields]
    person_names = st.sampled_from([entry.person_field(kind) or "none" for entry in mapping.fields])
    keyed = st.sampled_from(prospect_names)
    rows = st.lists(st.builds(HistoryRow, person_names, instants, st.booleans()), max_size=4).map(tuple)
    return Pair(
        Prospect(7, prospect, draw(stamps), draw(stamps)),
        Person(
            kind,
            "00Q000000000001AAA",
            person,
            draw(stamps),
            draw(stamps),
            has_account=draw(st.sampled_from([None, True, False])),
            account_name=draw(st.sampled_from([None, "Acme", " "])),
            converted_from=draw(st.none() | stamps),
        ),
        Evidence(
            history=draw(st.none() | rows),
            history_since=draw(st.dictionaries(person_names, st.none() | instants, max_size=2)),
            prospect_times=draw(st.dictionaries(keyed, intervals, max_size=3)),
            base=draw(st.dictionaries(keyed, values, max_size=3)),
            echo=draw(st.dictionaries(keyed, st.builds(Echo, values, values), max_size=1)),
            person_foreign=draw(st.none() | intervals),
            prospect_foreign=draw(st.none() | intervals),
            relinked=draw(st.booleans()),
            pins=draw(st.dictionaries(keyed, st.sampled_from(list(Side)), max_size=1)),
        ),
        ConnectorUsers("005000000000009AAA", 9),
    )


def cases(values=plain, **options):
    return mappings(**options).flatmap(lambda mapping: st.tuples(st.just(mapping), pairs(mapping, values)))


def applied(pair, plan):
    """The pair after its plan was carried out and nothing else happened."""
    return replace(
        pair,
        prospect=replace(pair.prospect, values={**pair.prospect.values, **plan.prospect_changes}),
        person=replace(pair.person, values={**pair.person.values, **plan.person_changes}),
    )


@quick
@given(cases(values=plain | junk))
def test_total_every_mapped_field_gets_a_decision_with_a_rule(case):
    mapping, pair = case
    plan = resolve(pair, mapping)
    history_needed(pair, mapping)
    rules = [decision.rule for decision in plan.decisions]
    assert set(rules) <= set(RULES)
    decided = [decision.prospect_field for decision in plan.decisions]
    company_of = pair.person.type is PersonType.CONTACT and pair.person.has_account is False
    expected = [
        entry.prospect
        for entry in mapping.fields
        if not (entry.prospect == "company" and company_of) and (entry.person_field(pair.person.type))
    ]
    assert decided == (["email"] if "EM-2" in rules else expected)


@quick
@given(cases())
def test_settled_resolving_again_changes_nothing(case):
    mapping, pair = case
    plan = resolve(pair, mapping)
    again = resolve(applied(pair, plan), mapping)
    assert (dict(again.prospect_changes), dict(again.person_changes)) == ({}, {})


@quick
@given(cases(clears=(None,)))
def test_blank_yields_nothing_is_emptied_unless_asked_for(case):
    mapping, pair = case
    plan = resolve(pair, mapping)
    assert all(change is not None for change in [*plan.prospect_changes.values(), *plan.person_changes.values()])


@quick
@given(cases())
def test_history_that_was_not_asked_for_decides_nothing(case):
    mapping, pair = case
    needed = history_needed(pair, mapping)
    rows = pair.evidence.history or ()
    asked_for = tuple(row for row in rows if row.field in needed)
    told = replace(pair, evidence=replace(pair.evidence, history=rows))
    asked = replace(pair, evidence=replace(pair.evidence, history=asked_for))
    assert resolve(told, mapping) == resolve(asked, mapping)


@quick
@given(cases())
def test_a_decision_names_what_is_written_and_nothing_else_is(case):
    mapping, pair = case
    plan = resolve(pair, mapping)
    to_ae = {d.prospect_field for d in plan.decisions if d.winner is Side.SALESFORCE and d.rule != "EM-2"}
    to_sf = {d.person_field for d in plan.decisions if d.winner is Side.ACCOUNT_ENGAGEMENT}
    assert (set(plan.prospect_changes), set(plan.person_changes)) == (to_ae, to_sf)
    assert all(not decision.guarded for decision in plan.decisions if decision.winner is None)


MIRRORED_RULE = {
    "SAME": "SAME", "UNREAD": "UNREAD", "AE-1": "SF-1", "AE-2": "SF-2", "AE-3": "SF-4", "SF-1": "AE-1", "SF-2": "AE-2", "SF-4": "AE-3",
    "RR-1": "RR-1", "RR-2": "RR-2",
}  # fmt: skip
MIRRORED_BEHAVIOR = {
    Behavior.USE_ACCOUNT_ENGAGEMENT: Behavior.USE_SALESFORCE,
    Behavior.USE_SALESFORCE: Behavior.USE_ACCOUNT_ENGAGEMENT,
    Behavior.MOST_RECENT_RECORD: Behavior.MOST_RECENT_RECORD,
}
texts = st.sampled_from(["A", "B", "b", " b", None, "", " "])


def one_field(behavior, ae, sf, ae_modified, sf_modified):
    pair = Pair(
        Prospect(7, {"jobTitle": ae}, Stamp(START), Stamp(ae_modified, "41")),
        Person(PersonType.LEAD, "00Q", {"Title": sf}, Stamp(START, OWNER), Stamp(sf_modified, OWNER)),
        Evidence(),
        ConnectorUsers("005000000000009AAA", 9),
    )
    return resolve(pair, Mapping(fields=(FieldMapping("jobTitle", "Title", None, behavior),)))


@quick
@given(st.sampled_from(list(MIRRORED_BEHAVIOR)), texts, texts, instants, st.integers(1, 5), st.booleans())
def test_symmetric_a_mirrored_input_gives_the_mirrored_result(behavior, ae, sf, earlier, gap, ae_is_later):
    later = earlier + timedelta(seconds=gap)
    ae_at, sf_at = (later, earlier) if ae_is_later else (earlier, later)
    plan = one_field(behavior, ae, sf, ae_at, sf_at)
    mirror = one_field(MIRRORED_BEHAVIOR[behavior], sf, ae, sf_at, ae_at)
    (here,), (there,) = plan.decisions, mirror.decisions
    assert MIRRORED_RULE[here.rule] == there.rule
    assert (here.winner and here.winner.other) == there.winner
    assert (here.value, here.guarded) == (there.value, there.guarded)
    assert list(plan.prospect_changes.values()) == list(mirror.person_changes.values())
    assert list(plan.person_changes.values()) == list(mirror.prospect_changes.values())


# --- disjoint edits commute (most_recent_record fields excepted)

FIELDS = ("one", "two")


class World:
    """Two fields on both sides, in step at first, with the evidence that edits leave behind."""

    def __init__(self, mapping):
        self.mapping = mapping
        self.ae = dict.fromkeys(FIELDS, "start")
        self.sf = dict.fromkeys(FIELDS, "start")
        self.rows = []
        self.times = {}
        self.base = dict.fromkeys(FIELDS, "start")

    def edit(self, side, name, value, second):
        moment = START + timedelta(seconds=second)
        if side is Side.SALESFORCE:
            self.sf[name] = value
            self.rows.append(HistoryRow(name, moment, ours=False))
        else:
            self.ae[name] = value
            self.times[name] = Interval.at(moment)

    def sync(self):
        pair = Pair(
            Prospect(7, self.ae, Stamp(START), Stamp(START, "41")),
            Person(PersonType.LEAD, "00Q", self.sf, Stamp(START, OWNER), Stamp(START, OWNER)),
            Evidence(history=tuple(self.rows), prospect_times=self.times, base=self.base),
            ConnectorUsers("005000000000009AAA", 9),
        )
        plan = resolve(pair, self.mapping)
        self.ae |= plan.prospect_changes
        self.sf |= plan.person_changes
        self.base |= {name: self.ae[name] for name in FIELDS if self.ae[name] == self.sf[name]}

    def state(self):
        return self.ae, self.sf


sides = st.sampled_from(list(Side))
field_behaviors = st.sampled_from([behavior for behavior in Behavior if behavior is not Behavior.MOST_RECENT_RECORD])
edited = st.sampled_from(["x", "start", "", None])
some_clears = st.sampled_from([None, Clears.EITHER])


@quick
@given(field_behaviors, field_behaviors, some_clears, sides, sides, edited, edited, st.booleans())
def test_disjoint_edits_commute(first, second, clears, one_side, two_side, one, two, blank):
    def field(name, behavior):
        kept = clears if behavior is not Behavior.FILL_BLANKS else None
        return FieldMapping(name, name, None, behavior, clears=kept)

    mapping = Mapping(ConnectorRules(allow_blank_salesforce=blank), fields=(field("one", first), field("two", second)))
    edits = [(one_side, "one", one, 5), (two_side, "two", two, 7)]
    ends = []
    for order in (edits, edits[::-1]):
        for sync_between in (True, False):
            world = World(mapping)
            for edit in order:
                world.edit(*edit)
                if sync_between:
                    world.sync()
            world.sync()
            ends.append(world.state())
    assert ends[1:] == ends[:-1]
