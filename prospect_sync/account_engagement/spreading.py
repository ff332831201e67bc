"""Spreads single calls over threads, so many at once, and keeps what was under way when a lease is lost."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from prospect_sync.errors import LeaseLost

T = TypeVar("T")
R = TypeVar("R")

_NAME = "prospects"


def gather(at_once: int, wanted: Sequence[T], do: Callable[[T], R]) -> list[R]:
    """Do all and give the results in order; the first failure ends it."""
    if len(wanted) < 2:
        return [do(one) for one in wanted]
    with ThreadPoolExecutor(at_once, thread_name_prefix=_NAME) as pool:
        asked = [pool.submit(do, one) for one in wanted]
        try:
            return [future.result() for future in asked]
        finally:
            pool.shutdown(cancel_futures=True)


def spread(at_once: int, wanted: Sequence[T], do: Callable[[T], R]) -> Iterator[Sequence[R]]:
    """Do all and give results as they come; after a lost lease nothing more is begun.

    Raises:
        LeaseLost: once all that was under way has been given.
    """
    waiting = list(reversed(wanted))
    lost: LeaseLost | None = None
    under_way: set[Future[R]] = set()
    with ThreadPoolExecutor(at_once, thread_name_prefix=_NAME) as pool:
        while under_way or (waiting and lost is None):
            while waiting and lost is None and len(under_way) < at_once:
                under_way.add(pool.submit(do, waiting.pop()))
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            lost = lost or next((error for one in done if isinstance(error := one.exception(), LeaseLost)), None)
            if results := [one.result() for one in done if not isinstance(one.exception(), LeaseLost)]:
                yield results
    if lost is not None:
        raise lost
