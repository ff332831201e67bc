"""Describe: the objects and fields as the caller may see them, with every key that the vendor answers."""

from typing import Any

from prospect_sync.sandbox.salesforce.access import Access
from prospect_sync.sandbox.salesforce.schema import NUMBER_TYPES, Field, ObjectType
from prospect_sync.sandbox.salesforce.state import OrgState
from prospect_sync.sandbox.users import OrgUser

_SOAP = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "date": "xsd:date"}
_SOAP |= {"datetime": "xsd:dateTime", "address": "urn:address", "anyType": "xsd:anyType"}
_SOAP |= {"double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double"}
_MERGEABLE = frozenset({"Lead", "Contact", "Account"})


class Describe:
    """Answers for one org."""

    def __init__(self, state: OrgState, access: Access) -> None:
        self._state = state
        self._access = access

    def everything(self, root: str) -> dict[str, Any]:
        """Describe Global."""
        kinds = [kind for kind in self._state.schema.all() if self._access.find(kind.name)]
        sobjects = [self.brief(kind, root) for kind in kinds if not kind.virtual]
        return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects}

    def brief(self, kind: ObjectType, root: str) -> dict[str, Any]:
        """What Describe Global and basic information say of an object."""
        place = f"{root}/sobjects/{kind.name}"
        urls = {"rowTemplate": f"{place}/{{ID}}", "describe": f"{place}/describe", "sobject": place}
        label = _spaced(kind.name)
        return {
            "activateable": False,
            "associateEntityType": "History" if kind.history_of else None,
            "associateParentEntity": kind.history_of,
            "createable": kind.writable,
            "custom": False,
            "customSetting": False,
            "deepCloneable": False,
            "deletable": kind.writable,
            "deprecatedAndHidden": False,
            "feedEnabled": kind.writable,
            "hasSubtypes": False,
            "isInterface": False,
            "isSubtype": False,
            "keyPrefix": kind.prefix or None,
            "label": label,
            "labelPlural": label if kind.history_of else f"{label}s",
            "layoutable": kind.writable,
            "mergeable": kind.name in _MERGEABLE,
            "mruEnabled": kind.writable,
            "name": kind.name,
            "queryable": True,
            "replicateable": True,
            "retrieveable": True,
            "searchable": kind.writable,
            "triggerable": kind.writable,
            "undeletable": kind.writable,
            "updateable": kind.writable,
            "urls": urls,
        }

    def whole(self, user: OrgUser, kind: ObjectType, root: str) -> dict[str, Any]:
        """Describe of one object."""
        fields = [self._field(user, kind, one) for one in self._access.fields(user, kind).values()]
        more = {
            "actionOverrides": [],
            "childRelationships": self._children(kind),
            "compactLayoutable": kind.writable,
            "defaultImplementation": None,
            "extendedBy": None,
            "extendsInterfaces": None,
            "fields": fields,
            "implementedBy": None,
            "implementsInterfaces": None,
            "listviewable": None,
            "lookupLayoutable": None,
            "namedLayoutInfos": [],
            "networkScopeFieldName": None,
            "recordTypeInfos": [_master_record_type(kind, root)] if kind.writable else [],
            "searchLayoutable": kind.writable,
            "sobjectDescribeOption": "FULL",
            "supportedScopes": [{"label": f"All {kind.name}s", "name": "everything"}] if kind.writable else [],
        }
        return dict(sorted((self.brief(kind, root) | more).items()))

    def _children(self, kind: ObjectType) -> list[dict[str, Any]]:
        """Which objects look up to this one."""
        found = []
        for child in self._state.schema.all():
            if child.virtual or self._access.find(child.name) is None:
                continue
            for one in child.fields:
                if kind.name in one.target:
                    name = "Histories" if child.history_of == kind.name else None
                    found.append(_child(child, one, name))
        return found

    def _field(self, user: OrgUser, kind: ObjectType, one: Field) -> dict[str, Any]:
        editable = kind.writable and self._access.editable(user, kind, one)
        described = _CONSTANT | {
            "aggregatable": one.filterable and one.type not in {"boolean", "address"},
            "byteLength": one.length * 3 if one.type not in {"id", "reference"} else one.length,
            "calculated": False,
            "compoundFieldName": one.compound,
            "createable": editable and one.createable,
            "custom": one.custom,
            "defaultValue": False if one.type == "boolean" else None,
            "defaultedOnCreate": one.default is not None or (not one.nillable and not one.createable),
            "digits": one.precision if one.type == "int" else 0,
            "externalId": one.external_id,
            "extraTypeInfo": "plaintextarea" if one.type == "textarea" else None,
            "filterable": one.filterable,
            "groupable": one.groupable,
            "idLookup": one.external_id or one.name == "Id" or (one.type == "email" and not one.custom),
            "label": one.label or _spaced(one.name.removesuffix("Id") if one.target else one.name),
            "length": one.length,
            "name": one.name,
            "nameField": one.name == "Name",
            "namePointing": len(one.target) > 1,
            "nillable": one.nillable,
            "permissionable": one.nillable and one.createable,
            "picklistValues": [_choice(one, value) for value in one.values],
            "polymorphicForeignKey": len(one.target) > 1,
            "precision": one.precision if one.type in NUMBER_TYPES - {"int"} else 0,
            "referenceTo": list(one.target) if one.type == "reference" else [],
            "relationshipName": one.relationship if one.type == "reference" else None,
            "restrictedPicklist": one.restricted,
            "scale": one.scale,
            "searchPrefilterable": one.type == "reference",
            "soapType": _SOAP.get(one.type, "xsd:string"),
            "sortable": one.sortable,
            "type": one.type,
            "unique": one.unique,
            "updateable": editable and one.updateable,
        }
        return dict(sorted(described.items()))


_CONSTANT: dict[str, Any] = {
    "aiPredictionField": False,
    "autoNumber": False,
    "calculatedFormula": None,
    "cascadeDelete": False,
    "caseSensitive": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "displayLocationInDecimal": False,
    "encrypted": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "htmlFormatted": False,
    "inlineHelpText": None,
    "mask": None,
    "maskType": None,
    "queryByDistance": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}


def _choice(one: Field, value: str) -> dict[str, Any]:
    return {"active": True, "defaultValue": value == one.default, "label": value, "validFor": None, "value": value}


def _child(child: ObjectType, one: Field, name: str | None) -> dict[str, Any]:
    return {
        "cascadeDelete": child.history_of is not None,
        "childSObject": child.name,
        "deprecatedAndHidden": False,
        "field": one.name,
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": name or (f"{child.name}s" if one.name == "AccountId" else None),
        "restrictedDelete": False,
    }


def _master_record_type(kind: ObjectType, root: str) -> dict[str, Any]:
    ident = "012000000000000AAA"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": ident,
        "urls": {"layout": f"{root}/sobjects/{kind.name}/describe/layouts/{ident}"},
    }


def _spaced(name: str) -> str:
    """`LastModifiedDate` as a label."""
    return "".join(f" {char}" if char.isupper() and place else char for place, char in enumerate(name)).strip()
