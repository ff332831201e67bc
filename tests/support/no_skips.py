"""With CI set, a skipped test is a failed one: what needs a real server must have had it.

Loaded by ``make test``. It looks at tests and at whole modules that skip themselves while being collected; expected
failures (xfail) are not skips. A skip that is right even there is named in ``ALLOWED``, with its reason.
"""

import os
from collections.abc import Generator

import pytest

# The beginning of a test's id, and why it may be skipped on a CI machine.
ALLOWED = {
    "tests/shell/test_redis_server.py::test_it_ends_with_a_killed_starter": "only Linux can do it, so only Linux shows it",
}


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("CI"):
        config.pluginmanager.register(NoSkips(), "no-skips")


class NoSkips:
    """Turns skips into failures."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.skipped and not hasattr(report, "wasxfail"):
            refuse(report)
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        if report.skipped:
            refuse(report)
        return report


def refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    if any(report.nodeid.startswith(beginning) for beginning in ALLOWED):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid} was skipped, which CI does not accept: {reason}"
