"""How many API calls the org has answered in the last 24 hours of its own clock, in whole hours."""

from collections import OrderedDict

from prospect_sync.sandbox.salesforce.errors import refusal
from prospect_sync.sandbox.salesforce.state import OrgState

_HOURS = 24


class Usage:
    """The daily allowance of the whole org."""

    def __init__(self, state: OrgState) -> None:
        self._state = state
        self._by_hour: OrderedDict[int, int] = OrderedDict()

    @property
    def used(self) -> int:
        oldest = self._hour() - _HOURS
        return sum(count for hour, count in self._by_hour.items() if hour > oldest)

    @property
    def header(self) -> dict[str, str]:
        return {"Sforce-Limit-Info": f"api-usage={self.used}/{self._state.settings.daily_limit}"}

    def count(self) -> None:
        """Count one call, or refuse it because the allowance is used up."""
        if self.used >= self._state.settings.daily_limit:
            raise refusal("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", status=403)
        hour = self._hour()
        self._by_hour[hour] = self._by_hour.get(hour, 0) + 1

    def set(self, used: int) -> None:
        """Pretend that so many calls were made in this hour and none before."""
        self._by_hour = OrderedDict({self._hour(): used})

    def limits(self) -> dict[str, dict[str, int]]:
        """The body of the Limits resource."""
        most = self._state.settings.daily_limit
        return {
            "DailyApiRequests": {"Max": most, "Remaining": max(0, most - self.used)},
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DailyDeliveredPlatformEvents": {"Max": 25_000, "Remaining": 25_000},
            "DataStorageMB": {"Max": 10_240, "Remaining": 10_000},
            "FileStorageMB": {"Max": 10_240, "Remaining": 10_240},
        }

    def _hour(self) -> int:
        return self._state.now() // 3_600
