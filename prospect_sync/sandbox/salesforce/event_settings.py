"""What an administrator, or a test, sets about change events and how the event bus behaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class EventSettings:
    """The keys of `configure` under `events`; what is not given has its default."""

    capture: Mapping[str, bool] = field(default_factory=dict)
    """By object; what is not named is captured. Off: nothing is logged and the topic does not exist."""
    keepalive_seconds: float = 270
    """How long a stream stays silent at most."""
    starved_seconds: float = 60
    """How long a client may ask for nothing before its stream is closed."""
    latency_ms: float = 0
    jitter_ms: float = 0
    """How long after its commit an event can be had; up to the jitter more, in order all the same."""
    duplicates: float = 0
    """The share of events that come again in a later response."""
    reorders: float = 0
    """The share of responses whose events are shuffled."""
    seed: int = 0
    daily_limit: int | None = None
    """Deliveries in 24 hours, over all subscribers."""
    down: bool = False
    """Whether every call ends UNAVAILABLE."""

    @classmethod
    def parsed(cls, given: Mapping[str, Any]) -> Self:
        """Check names and kinds; raises ValueError with what is wrong."""
        defaults = {one.name: getattr(cls(), one.name) for one in fields(cls)}
        unknown = sorted(given.keys() - defaults.keys())
        if unknown:
            raise ValueError(f"unknown settings of events {unknown}; known are {sorted(defaults)}")
        wrong = [name for name, value in given.items() if not _fits(name, value, defaults[name])]
        if wrong:
            raise ValueError(f"wrong values for the settings of events {wrong}")
        return cls(**given)

    def captures(self, object_name: str) -> bool:
        return self.capture.get(object_name, True)


def _fits(name: str, value: Any, default: Any) -> bool:
    if name == "capture":
        return isinstance(value, Mapping) and all(isinstance(on, bool) for on in value.values())
    if name == "daily_limit":
        return value is None or (isinstance(value, int) and value >= 0)
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return isinstance(value, int | float) and value >= 0 and (name != "seed" or isinstance(value, int))
