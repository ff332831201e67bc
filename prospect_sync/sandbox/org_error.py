"""A refusal by an org, in the vendor's words: what its API answers and what a UI edit raises."""

from collections.abc import Mapping
from typing import Any


class OrgError(Exception):
    """An HTTP status and the vendor's error body; `headers` are added to the answer."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
