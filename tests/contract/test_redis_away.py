"""What the stores say when Redis is away or cannot work, and that they go on once it is back."""

import pytest

from prospect_sync.errors import Misconfigured, TryLater
from prospect_sync.memory import Token
from prospect_sync.model import Hint, Lane, Ref, Side
from prospect_sync.stores.memory import HandClock
from prospect_sync.stores.redis import RedisBudget, RedisInbox, RedisOnce, RedisTokens, connect
from tests.support.servers import RedisServer


@pytest.fixture
def own_server(tmp_path):
    server = RedisServer(tmp_path, arguments=("--appendonly", "yes", "--appendfsync", "always"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(own_server):
    client = connect(own_server.url)
    yield client
    client.close()


def enter(context):
    with context:
        pass


@pytest.mark.parametrize(
    "use",
    [
        lambda client: RedisInbox(client).offer([Hint(Ref.prospect(1))]),
        lambda client: RedisInbox(client).take(Lane.LIVE, 200, 60.0),
        lambda client: RedisInbox(client).identity(),
        lambda client: RedisOnce(client, HandClock()).mark(),
        lambda client: RedisOnce(client, HandClock()).share("mirror", 0.0, lambda: None, 1.0),
        lambda client: enter(RedisBudget(client, HandClock()).permit(Side.ACCOUNT_ENGAGEMENT, Lane.LIVE)),
        lambda client: RedisTokens(client, HandClock()).get("salesforce", None, lambda: Token("a", "b")),
    ],
)
def test_a_redis_that_is_away_is_an_outage(own_server, client, use):
    own_server.kill()
    with pytest.raises(TryLater) as raised:
        use(client)
    assert (raised.value.reason, raised.value.delay > 0) == ("outage", True)


def test_work_goes_on_after_kill_and_restart_and_the_identity_tells(own_server, client):
    inbox = RedisInbox(client)
    inbox.offer([Hint(Ref.prospect(1))])
    before = inbox.identity()
    own_server.kill()
    own_server.start()
    batch = inbox.take(Lane.LIVE, 200, 60.0)
    assert batch is not None
    assert batch.refs == {Ref.prospect(1)}
    assert inbox.identity() != before


def test_a_full_redis_is_an_outage(client):
    inbox = RedisInbox(client)
    client.config_set("maxmemory", "1")
    with pytest.raises(TryLater) as raised:
        inbox.offer([Hint(Ref.prospect(1))])
    assert raised.value.reason == "outage"


def test_a_wrong_password_is_misconfigured(own_server, client):
    client.config_set("requirepass", "secret")
    stranger = connect(own_server.url)
    with pytest.raises(Misconfigured):
        RedisInbox(stranger).lanes()
    stranger.close()


def test_a_permit_that_cannot_be_given_back_does_not_hide_what_the_call_brought(own_server, client):
    answers = []
    with RedisBudget(client, HandClock()).permit(Side.ACCOUNT_ENGAGEMENT, Lane.LIVE):
        answers.append("200 OK")
        own_server.kill()
    assert answers == ["200 OK"]


def test_stores_want_a_client_that_decodes(own_server):
    from redis import Redis

    raw = Redis.from_url(own_server.url)
    with pytest.raises(ValueError, match="decode_responses"):
        RedisInbox(raw)
    raw.close()
