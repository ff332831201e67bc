"""EntityDefinition and FieldDefinition: the schema and the tracking settings as records that can be queried."""

from prospect_sync.sandbox.salesforce.history import is_tracked
from prospect_sync.sandbox.salesforce.schema import Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState

_TYPE_WORDS = {
    "string": "Text({length})", "textarea": "Text Area({length})", "email": "Email", "phone": "Phone", "url": "URL",
    "boolean": "Checkbox", "int": "Number({precision}, 0)", "double": "Number({precision}, {scale})",
    "currency": "Currency({precision}, {scale})", "percent": "Percent({precision}, {scale})", "date": "Date",
    "datetime": "Date/Time", "picklist": "Picklist", "multipicklist": "Picklist (Multi-Select)",
    "reference": "Lookup({target})", "address": "Address", "id": "Lookup()",
}  # fmt: skip


class Metadata:
    """Keeps both tables equal to schema and settings."""

    def __init__(self, state: OrgState) -> None:
        self._state = state

    def refresh(self) -> None:
        """Write both tables anew."""
        entities = self._state.schema.get("EntityDefinition")
        fields = self._state.schema.get("FieldDefinition")
        self._state.storage.run('DELETE FROM "EntityDefinition"')
        self._state.storage.run('DELETE FROM "FieldDefinition"')
        kinds = [kind for kind in self._state.schema.all() if not kind.virtual]
        columns = ("DurableId", "QualifiedApiName", "DeveloperName", "Label", "KeyPrefix", "IsQueryable")
        rows = [(kind.name, kind.name, kind.name, kind.name, kind.prefix, 1) for kind in kinds]
        self._state.storage.insert_many(entities, columns, rows)
        for kind in kinds:
            for one in kind.fields:
                self._state.storage.insert(fields, self._definition(kind, one))

    def _definition(self, kind: ObjectType, one: Field) -> dict[str, str | int | None]:
        words = _TYPE_WORDS.get(one.type, one.type)
        plain = one.name.removesuffix("__c")
        history = self._state.schema.find(kind.history_name)
        tracked = history is not None and is_tracked(one, self._state.settings.tracks(kind.name))
        numeric = one.type in {"double", "currency", "percent"}
        return {
            "DurableId": f"{kind.name}.{plain}",
            "QualifiedApiName": one.name,
            "DeveloperName": plain,
            "MasterLabel": one.label or plain,
            "Label": one.label or plain,
            "DataType": words.format(
                length=one.length, precision=one.precision, scale=one.scale, target=",".join(one.target)
            ),
            "Length": one.length,
            "Precision": one.precision if numeric else 0,
            "Scale": one.scale if numeric else 0,
            "IsFieldHistoryTracked": int(tracked),
            "IsNillable": int(one.nillable),
            "IsCompound": int(bool(one.parts)),
            "EntityDefinitionId": kind.name,
        }
