"""What the Salesforce adapter has to be told: plain values, no environment, nothing contacted."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SalesforceConnection:
    """How to reach one org, and as whom.

    With ``private_key`` (PEM) and ``username`` the login is OAuth's JWT bearer flow, otherwise client credentials with
    ``client_secret``. ``login_url`` is My Domain's address, or login/test.salesforce.com with a JWT; ``audience``
    defaults to it. Time-outs are seconds.
    """

    login_url: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    username: str = ""
    private_key: str = field(default="", repr=False)
    audience: str = ""
    api_version: str = "67.0"
    ca_file: str | None = None
    client_name: str = "prospect-sync"
    duplicate_rule: str = "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"
    timeout: float = 30.0
    connect_timeout: float = 5.0
    login_timeout: float = 10.0

    @property
    def constant_headers(self) -> dict[str, str]:
        """Headers of every call: no assignment rules, duplicates allowed where the org's rule only alerts."""
        return {
            "Sforce-Call-Options": f"client={self.client_name}",
            "Sforce-Auto-Assign": "FALSE",
            "Sforce-Duplicate-Rule-Header": self.duplicate_rule,
        }

    @property
    def data_path(self) -> str:
        """The path all REST resources of this API version lie under."""
        return f"/services/data/v{self.api_version}/"
