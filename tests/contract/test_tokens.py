"""Shared access tokens: one fetches, all use, on memory and on a real Redis."""

import threading
from collections.abc import Callable

import pytest

from prospect_sync.errors import Misconfigured
from prospect_sync.memory import Token
from prospect_sync.ports import Tokens
from prospect_sync.stores.memory import MemoryTokens
from prospect_sync.stores.redis import RedisTokens
from tests.contract.kit import Kit, checks_in, memory_kit, rejecting

OLD, NEW = Token("old", "https://a.example.org"), Token("new", "https://b.example.org")


class Fetch:
    def __init__(self, *tokens: Token) -> None:
        self.tokens = list(tokens)
        self.times = 0

    def __call__(self) -> Token:
        self.times += 1
        return self.tokens.pop(0)


def never() -> Token:
    raise AssertionError("a token was fetched")


def check_a_token_is_fetched_once_and_given_to_all(kit: Kit[Tokens]) -> None:
    assert kit.store.get("salesforce", None, Fetch(OLD)) == OLD
    assert kit.other().get("salesforce", None, never) == OLD


def check_names_are_apart(kit: Kit[Tokens]) -> None:
    kit.store.get("salesforce", None, Fetch(OLD))
    assert kit.store.get("account_engagement", None, Fetch(NEW)) == NEW
    assert kit.store.get("salesforce", None, never) == OLD


def check_a_refused_token_is_replaced_for_all(kit: Kit[Tokens]) -> None:
    kit.store.get("salesforce", None, Fetch(OLD))
    assert kit.store.get("salesforce", OLD, Fetch(NEW)) == NEW
    assert kit.other().get("salesforce", None, never) == NEW


def check_what_was_replaced_meanwhile_is_not_fetched_again(kit: Kit[Tokens]) -> None:
    kit.store.get("salesforce", None, Fetch(NEW))
    assert kit.other().get("salesforce", OLD, never) == NEW


def check_who_waits_gets_what_the_first_fetched(kit: Kit[Tokens]) -> None:
    begun, go, got = threading.Event(), threading.Event(), []
    first_client, second_client = kit.other(), kit.other()

    def slow() -> Token:
        begun.set()
        assert go.wait(20)
        return NEW

    first = threading.Thread(target=lambda: got.append(first_client.get("salesforce", None, slow)), daemon=True)
    second = threading.Thread(target=lambda: got.append(second_client.get("salesforce", None, Fetch(OLD))), daemon=True)
    kit.clock.on_sleep = lambda: (go.set(), first.join())
    first.start()
    assert begun.wait(20)
    second.start()
    go.set()
    first.join()
    second.join()
    assert got == [NEW, NEW]


def check_what_fetch_raises_is_raised_and_the_next_may_try(kit: Kit[Tokens]) -> None:
    def fail() -> Token:
        raise Misconfigured("unknown client", code="invalid_client")

    with pytest.raises(Misconfigured, match="unknown client"):
        kit.store.get("salesforce", None, fail)
    assert kit.other().get("salesforce", None, Fetch(NEW)) == NEW


def check_a_forgotten_token_is_fetched_again(kit: Kit[Tokens]) -> None:
    kit.store.get("salesforce", None, Fetch(OLD))
    kit.store.forget("salesforce")
    kit.store.forget("never-known")
    assert kit.other().get("salesforce", None, Fetch(NEW)) == NEW


CHECKS = checks_in(globals())


@pytest.fixture(params=["memory", "redis"])
def kit(request: pytest.FixtureRequest) -> Kit[Tokens]:
    if request.param == "memory":
        return memory_kit(lambda _: MemoryTokens())
    return request.getfixturevalue("redis_kits")(RedisTokens)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
def test_tokens(check, kit):
    check(kit)


def test_a_token_in_redis_has_an_end(redis_kits):
    kit = redis_kits(RedisTokens)
    kit.store.get("salesforce", None, Fetch(OLD))
    kit.age(3_601)
    assert kit.store.get("salesforce", None, Fetch(NEW)) == NEW


def test_a_fetcher_that_died_is_replaced(redis_kits, redis_client):
    redis_client.set("{prospect-sync}:token:salesforce:lock", "a dead worker", px=60_000)
    kit = redis_kits(RedisTokens)
    kit.clock.on_sleep = lambda: kit.age(61)
    fetch = Fetch(NEW)
    assert (kit.store.get("salesforce", None, fetch), fetch.times) == (NEW, 1)


def test_a_fetcher_that_was_taken_for_dead_leaves_its_successors_lock(redis_kits, redis_client):
    lock = "{prospect-sync}:token:salesforce:lock"

    def slow() -> Token:
        redis_client.set(lock, "the successor", px=60_000)
        return NEW

    redis_kits(RedisTokens).store.get("salesforce", None, slow)
    assert redis_client.get(lock) == "the successor"


def test_a_token_fetched_just_before_the_lock_was_got_is_used(redis_kits):
    def somebody_is_faster() -> str:
        kit.other().get("salesforce", None, Fetch(NEW))
        return "our id"

    kit = redis_kits(RedisTokens)
    late = redis_kits(lambda client, clock: RedisTokens(client, clock, new_id=somebody_is_faster))
    assert late.store.get("salesforce", None, never) == NEW


class EagerTokens(MemoryTokens):
    """Everybody fetches their own."""

    def get(self, name: str, refused: Token | None, fetch: Callable[[], Token]) -> Token:
        return fetch()


def test_the_suite_rejects_tokens_that_are_fetched_twice():
    rejected_by = rejecting(CHECKS, lambda: memory_kit(lambda _: EagerTokens()))
    assert {
        "check_a_token_is_fetched_once_and_given_to_all",
        "check_who_waits_gets_what_the_first_fetched",
    } <= rejected_by
