"""The inbox in Redis: every method is one Lua script, on Redis' own clock.

``lua/inbox.lua`` names the keys. Waiting holds takeable records only, so that a take looks at no more than it takes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from redis import Redis

from prospect_sync.memory import Batch, LaneState
from prospect_sync.model import Hint, Lane, Ref
from prospect_sync.ports import Inbox
from prospect_sync.stores.redis.connection import PREFIX, Scripts, translated

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_OFFERED_AT_ONCE = 2_000
_LOSSES_REMEMBERED = 86_400
_NAMES = ("offer", "take", "claim", "extend", "remaining", "release", "reap", "bury", "lanes", "oldest", "identity")


class RedisInbox(Inbox):
    """See the port. A record that waits again while in work is not counted as waiting; due times are cut to milliseconds.

    More than 2,000 hints are offered in several steps, so that one large offer does not hold up all others.
    """

    def __init__(self, client: Redis, *, prefix: str = PREFIX, new_id: Callable[[], str] = lambda: uuid4().hex) -> None:
        self._client = client
        self._keys = (f"{prefix}inbox:",)
        self._scripts = Scripts(client, "inbox", _NAMES)
        self._new_id = new_id

    def offer(self, hints: Sequence[Hint]) -> None:
        for start in range(0, len(hints), _OFFERED_AT_ONCE):
            self._scripts.run("offer", self._keys, _flat(hints[start : start + _OFFERED_AT_ONCE]))

    def take(self, lane: Lane, limit: int, lease: float) -> Batch | None:
        batch_id = self._new_id()
        taken = self._scripts.run("take", self._keys, (lane.value, limit, _ms(lease), batch_id))
        if not taken:
            return None
        hints = tuple(Hint(Ref.parse(ref), lane, _instant(due), origin) for ref, due, origin, _ in taken)
        deaths = {Ref.parse(ref): int(died) for ref, _, _, died in taken if int(died)}
        return Batch(batch_id, lane, hints, any(died > 1 for died in deaths.values()), deaths)

    def claim(self, batch: Batch, refs: Collection[Ref], lease: float) -> frozenset[Ref]:
        own = _texts(batch.refs)
        arguments = (batch.id, batch.lane.value, _ms(lease), len(own), *own, *_texts(refs))
        return frozenset(map(Ref.parse, self._scripts.run("claim", self._keys, arguments)))

    def extend(self, batch: Batch, lease: float) -> bool:
        return bool(self._scripts.run("extend", self._keys, (batch.id, _ms(lease), *_texts(batch.refs))))

    def remaining(self, batch: Batch) -> float:
        return int(self._scripts.run("remaining", self._keys, (batch.id, *_texts(batch.refs)))) / 1000

    def release(self, batch: Batch, again: Sequence[Hint] = ()) -> None:
        own = _texts(batch.refs)
        self._scripts.run("release", self._keys, (batch.id, len(own), *own, *_flat(again)))

    def reap(self) -> tuple[frozenset[Ref], frozenset[Ref]]:
        returned, poisonous = self._scripts.run("reap", self._keys, (_LOSSES_REMEMBERED,))
        return frozenset(map(Ref.parse, returned)), frozenset(map(Ref.parse, poisonous))

    def bury(self, refs: Collection[Ref]) -> None:
        self._scripts.run("bury", self._keys, _texts(refs))

    def lanes(self) -> Mapping[Lane, LaneState]:
        states = self._scripts.run("lanes", self._keys, [lane.value for lane in Lane])
        return {
            lane: LaneState(waiting, due, age / 1000) for lane, (waiting, due, age) in zip(Lane, states, strict=True)
        }

    def oldest(self) -> datetime | None:
        since = self._scripts.run("oldest", self._keys)
        return None if since is None else _instant(since)

    def identity(self) -> str:
        epoch = self._scripts.run("identity", self._keys, (self._new_id(),))
        with translated():
            run_id = self._client.info("server")["run_id"]
        return f"{run_id}/{epoch}"


def _flat(hints: Iterable[Hint]) -> list[str]:
    return [text for hint in hints for text in (str(hint.ref), hint.lane.value, _due(hint.due), hint.origin)]


def _texts(refs: Iterable[Ref]) -> list[str]:
    return [str(ref) for ref in refs]


def _due(due: datetime | None) -> str:
    return "" if due is None else str((due - _EPOCH) // _MILLISECOND)


def _instant(milliseconds: str) -> datetime:
    return _EPOCH + int(float(milliseconds)) * _MILLISECOND


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
