"""Every knob of the service, in one place: the only reader of the environment, and only ``worker`` imports it.

Variables start with ``PROSPECT_SYNC_``; nested ones are joined by two underscores
(``PROSPECT_SYNC_SALESFORCE__CLIENT_ID``). A file named in ``PROSPECT_SYNC_ENV_FILE`` is read too, and secrets may lie in
one file each under ``/run/secrets``. All problems are reported together.
"""

from settings.model import (
    AccountEngagementSettings,
    BudgetSettings,
    EventSettings,
    SalesforceSettings,
    ScheduleSettings,
    Settings,
    TuningSettings,
    load_settings,
)

__all__ = [
    "AccountEngagementSettings",
    "BudgetSettings",
    "EventSettings",
    "SalesforceSettings",
    "ScheduleSettings",
    "Settings",
    "TuningSettings",
    "load_settings",
]
