"""Makes the real servers available to every suite."""

pytest_plugins = ["tests.support.servers"]
