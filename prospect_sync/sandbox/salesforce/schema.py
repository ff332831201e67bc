"""What objects and fields the org has; custom fields join at run time.

Plain description only: no values, no rights, no SQL beyond the type of a column.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

TEXT_TYPES = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"})
NUMBER_TYPES = frozenset({"int", "double", "currency", "percent"})
_SQL_TYPES = {"boolean": "INTEGER", "int": "INTEGER", "datetime": "INTEGER", "double": "REAL"}
_SQL_TYPES |= {"currency": "REAL", "percent": "REAL", "anyType": "BLOB"}
_DEFAULT_LENGTHS = {"string": 255, "textarea": 255, "email": 80, "phone": 40, "url": 255}
_DEFAULT_LENGTHS |= {"picklist": 255, "multipicklist": 4099, "reference": 18, "id": 18}


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of an object, with the few attributes that decide anything here."""

    name: str
    type: str
    length: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    label: str = ""
    custom: bool = False
    values: tuple[str, ...] = ()
    restricted: bool = False
    external_id: bool = False
    unique: bool = False
    target: tuple[str, ...] = ()
    relationship: str | None = None
    precision: int = 18
    scale: int = 0
    default: Any = None
    parts: tuple[tuple[str, str], ...] = ()
    """Of a compound: (key on the wire, field that holds it)."""
    compound: str | None = None
    formula: str | None = None
    """An SQL expression over the row; such a field is computed and never stored."""
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    trackable: bool = False

    @property
    def stored(self) -> bool:
        return not self.parts and self.formula is None

    @property
    def required(self) -> bool:
        return self.createable and not self.nillable and self.default is None and self.type != "boolean"

    @property
    def foldable(self) -> bool:
        """Whether comparing ignores case."""
        return self.type in TEXT_TYPES

    @property
    def sql_column(self) -> str:
        """The column's definition."""
        kind = _SQL_TYPES.get(self.type, "TEXT")
        fold = " COLLATE NOCASE" if self.foldable else ""
        if self.formula is not None:
            return f'"{self.name}" {kind}{fold} GENERATED ALWAYS AS ({self.formula}) VIRTUAL'
        return f'"{self.name}" {kind}{fold}'


@dataclass(frozen=True, slots=True, eq=False)
class ObjectType:
    """One kind of record."""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    label: str = ""
    writable: bool = True
    history_of: str | None = None
    """The object whose changes these rows tell, if this is a history object."""
    parent_field: str | None = None
    virtual: bool = False
    """Made from the schema and the settings instead of being recorded."""
    by_name: Mapping[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name.lower(): one for one in self.fields})

    def field(self, name: str) -> Field | None:
        return self.by_name.get(name.lower())

    @property
    def history_name(self) -> str:
        return f"{self.name}History"


class Schema:
    """Every object of the org, found by name in any case."""

    def __init__(self, objects: Iterable[ObjectType]) -> None:
        self._objects = {one.name.lower(): one for one in objects}

    def all(self) -> tuple[ObjectType, ...]:
        return tuple(self._objects.values())

    def find(self, name: str) -> ObjectType | None:
        return self._objects.get(name.lower())

    def get(self, name: str) -> ObjectType:
        return self._objects[name.lower()]

    def by_prefix(self, ident: str) -> ObjectType | None:
        return next((one for one in self._objects.values() if one.prefix == ident[:3]), None)

    def add_field(self, object_name: str, new: Field) -> ObjectType:
        """Put a custom field behind the others and return the object as it is now."""
        grown = self.get(object_name)
        grown = replace(grown, fields=(*grown.fields, new))
        self._objects[object_name.lower()] = grown
        return grown


def custom_field(spec: Mapping[str, Any]) -> Field:
    """A custom field from a description as `load` takes it."""
    kind = str(spec["type"])
    if kind not in {*TEXT_TYPES, *NUMBER_TYPES, "boolean", "date", "datetime", "reference"}:
        raise ValueError(f"custom field {spec['name']}: unknown type {kind!r}")
    name = str(spec["name"])
    if not name.endswith("__c"):
        raise ValueError(f"a custom field's name ends in __c: {name!r}")
    length = int(spec.get("length", _DEFAULT_LENGTHS.get(kind, 0)))
    long_text = kind == "textarea" and length > 255
    targets = spec.get("referenceTo", ())
    return Field(
        name=name,
        type=kind,
        length=length,
        nillable=not spec.get("required", False) and kind != "boolean",
        label=str(spec.get("label", name.removesuffix("__c").replace("_", " "))),
        custom=True,
        values=tuple(spec.get("picklist", ())),
        restricted=bool(spec.get("restricted", False)),
        external_id=bool(spec.get("externalId", False)),
        unique=bool(spec.get("unique", False)),
        target=(targets,) if isinstance(targets, str) else tuple(targets),
        relationship=f"{name[:-1]}r" if kind == "reference" else None,
        precision=int(spec.get("precision", 18)),
        scale=int(spec.get("scale", 0)),
        default=spec.get("default", False if kind == "boolean" else None),
        filterable=not long_text,
        sortable=not long_text and kind != "multipicklist",
        groupable=not long_text and kind not in {"multipicklist", "datetime", "double", "currency", "percent"},
        trackable=True,
    )
