"""What the Account Engagement adapter has to be told: plain values, no environment, nothing contacted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountEngagementConnection:
    """How to reach one business unit. ``timeout`` is seconds for a whole call."""

    base_url: str
    business_unit_id: str
    ca_file: str | None = None
    timeout: float = 60.0
    connect_timeout: float = 5.0
