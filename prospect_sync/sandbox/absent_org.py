"""Stands in for the Salesforce org until that is built: answers 404 to everything."""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette


class SalesforceOrg:
    def __init__(self, clock: Any, **_parts: Any) -> None:
        self.base_url = ""

    def app(self) -> Starlette:
        return Starlette()

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def dump(self) -> dict[str, Any]:
        return {}

    def configure(self, settings: Mapping[str, Any]) -> None:
        pass

    def ui_edit(
        self, user: str, object_name: str, record_id: str | None, changes: Mapping[str, Any], action: str = "update"
    ) -> str:
        raise ValueError("the Salesforce org is not built yet")
