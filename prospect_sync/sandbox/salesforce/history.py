"""Field history: the rows that a change leaves, precise to the second and in no promised order within it.

Decides what a row says. Parts of a name are told under their own names (FirstName, LastName, Salutation) and
parts of an address under theirs; a real org's names for these are not documented. A lookup leaves two rows,
one with the names and one with the ids.
"""

from collections.abc import Iterable, Mapping

from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.salesforce.storage import Row
from prospect_sync.sandbox.salesforce.wire import Stored, instant_text

_LONGEST = 255
_DATA_TYPES = {
    "string": "Text", "textarea": "TextArea", "email": "EMail", "phone": "Phone", "url": "Url",
    "boolean": "Boolean", "int": "Integer", "double": "Double", "currency": "Currency", "percent": "Percent",
    "date": "DateOnly", "datetime": "DateTime", "picklist": "DynamicEnum", "multipicklist": "MultiEnum",
    "reference": "EntityId",
}  # fmt: skip
_COLUMNS = ("Id", "IsDeleted", "CreatedById", "CreatedDate", "Field", "DataType", "OldValue", "NewValue")


class History:
    """Writes the rows of tracked fields."""

    def __init__(self, state: OrgState) -> None:
        self._state = state

    def changed(self, kind: ObjectType, before: Row, after: Row, names: Iterable[str], user_id: str, at: int) -> None:
        """Tell a save: one row per tracked field among `names`."""
        entries = [
            entry for name in names if self._tracked(kind, name) for entry in self._told(kind, name, before, after)
        ]
        self._write(kind, after["Id"], entries, user_id, at)

    def happened(self, kind: ObjectType, ident: str, event: str, user_id: str, at: int) -> None:
        """Tell an event of the whole record, such as `created`; such a row has no values."""
        self._write(kind, ident, [(event, "Text", None, None)], user_id, at)

    def data_type(self, kind: ObjectType, name: str) -> str:
        one = kind.field(name)
        return "Text" if one is None else _DATA_TYPES.get(one.type, "Text")

    def _tracked(self, kind: ObjectType, name: str) -> bool:
        one = kind.field(name)
        tracking = self._state.settings.tracks(kind.name)
        return one is not None and is_tracked(one, tracking)

    def _told(self, kind: ObjectType, name: str, before: Row, after: Row) -> Iterable[tuple[str, str, Stored, Stored]]:
        one = kind.by_name[name.lower()]
        old, new = before.get(name), after.get(name)
        if one.type == "reference":
            shown_as = name if one.custom else one.relationship or name
            yield shown_as, "Text", self._name_of(one, old), self._name_of(one, new)
            yield shown_as, "EntityId", old, new
        elif one.length > _LONGEST or one.type == "multipicklist":
            yield name, _DATA_TYPES[one.type], None, None
        elif one.type == "datetime":
            yield name, "DateTime", _instant(old), _instant(new)
        else:
            yield name, _DATA_TYPES[one.type], old, new

    def _name_of(self, one: Field, ident: str | None) -> str | None:
        if ident is None:
            return None
        for target in one.target:
            kind = self._state.schema.find(target)
            row = kind and self._state.storage.find(kind, ident)
            if row:
                return str(row["Name"])
        return None

    def _write(
        self, kind: ObjectType, ident: str, entries: Iterable[tuple[str, str, Stored, Stored]], user_id: str, at: int
    ) -> None:
        history = self._state.schema.find(kind.history_name)
        if history is None or self._state.settings.tracks(kind.name) is False:
            return
        rows = [(self._state.storage.new_id(history), 0, user_id, at, *entry, ident) for entry in entries]
        if rows:
            self._state.storage.insert_many(history, (*_COLUMNS, history.parent_field or ""), rows)


def is_tracked(one: Field, tracking: bool | frozenset[str]) -> bool:
    """Whether changes of a field leave rows under a setting of `history_tracking`."""
    return one.trackable and (tracking if isinstance(tracking, bool) else one.name in tracking)


def shown_value(data_type: str | None, value: Stored) -> Stored | bool:
    """A row's value on the wire."""
    return bool(value) if data_type == "Boolean" and value is not None else value


def value_types(kind: ObjectType) -> Mapping[str, str]:
    """What `DataType` a row of each field carries."""
    return {one.name: _DATA_TYPES.get(one.type, "Text") for one in kind.fields}


def _instant(seconds: Stored) -> Stored:
    return None if seconds is None else instant_text(int(seconds))
