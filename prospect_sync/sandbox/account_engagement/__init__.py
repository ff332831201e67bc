"""The pretend Account Engagement business unit: the v5 API on prospects kept in memory."""

from prospect_sync.sandbox.account_engagement.org import AccountEngagementOrg

__all__ = ["AccountEngagementOrg"]
