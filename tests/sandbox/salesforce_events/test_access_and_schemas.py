"""Who may call, which calls there are, and schemas that change with the org."""

import json

import grpc
import pytest

from prospect_sync.eventbus import pubsub_api_pb2 as messages

LEAD = "00Q5g0000000001EAA"
TOPIC = messages.TopicRequest(topic_name="/data/LeadChangeEvent")
CODE = "sfdc.platform.eventbus.grpc.service.auth."


def answered(answer):
    """What a stream or a single call answers."""
    return list(answer) if hasattr(answer, "__next__") else answer


def refusal(call, *given, **more):
    with pytest.raises(grpc.RpcError) as refused:
        answered(call(*given, **more))
    return refused.value.code(), dict(refused.value.trailing_metadata()).get("error-code")


@pytest.mark.parametrize(
    ("name", "value"),
    [("accesstoken", "nonsense"), ("instanceurl", "https://elsewhere.example"), ("tenantid", "00D5g000000OtherEAC")],
)
def test_wrong_credentials(bus, name, value):
    metadata = tuple((key, value if key == name else held) for key, held in bus.metadata)
    wrong = (grpc.StatusCode.UNAUTHENTICATED, CODE + "error")
    assert refusal(bus.stub.GetTopic, TOPIC, metadata=metadata) == wrong
    assert refusal(bus.stub.GetSchema, messages.SchemaRequest(schema_id="x"), metadata=metadata) == wrong
    bus.metadata = metadata
    assert bus.subscribe().error() == wrong


@pytest.mark.parametrize("name", ["accesstoken", "instanceurl", "tenantid"])
def test_missing_credentials(bus, name):
    metadata = tuple(pair for pair in bus.metadata if pair[0] != name)
    missing = (grpc.StatusCode.UNAUTHENTICATED, CODE + "headers.invalid")
    assert refusal(bus.stub.GetTopic, TOPIC, metadata=metadata) == missing


def test_a_token_that_ends_ends_its_stream(bus, tokens):
    stream = bus.subscribe()
    bus.edit({"Title": "Boss"})
    bus.org.configure({"events": {"keepalive_seconds": 0.01}})
    stream.next()
    tokens.expire_all()
    assert stream.error() == (grpc.StatusCode.UNAUTHENTICATED, CODE + "error")


def test_what_is_not_built_says_so(bus):
    unbuilt = (grpc.StatusCode.UNIMPLEMENTED, None)
    assert refusal(bus.stub.Publish, messages.PublishRequest(), metadata=bus.metadata) == unbuilt
    assert refusal(bus.stub.PublishStream, iter(()), metadata=bus.metadata) == unbuilt
    assert refusal(bus.stub.ManagedSubscribe, iter(()), metadata=bus.metadata) == unbuilt


def test_the_topic_names_its_schema(bus):
    topic = bus.stub.GetTopic(TOPIC, metadata=bus.metadata)
    assert (topic.topic_name, topic.can_subscribe, topic.can_publish) == ("/data/LeadChangeEvent", True, False)
    answer = bus.stub.GetSchema(messages.SchemaRequest(schema_id=topic.schema_id), metadata=bus.metadata)
    schema = json.loads(answer.schema_json)
    assert (schema["namespace"], schema["name"]) == ("com.sforce.eventbus", "LeadChangeEvent")
    fields = {field["name"]: (place, field["type"], field.get("doc")) for place, field in enumerate(schema["fields"])}
    assert fields["ChangeEventHeader"][0] == 0
    assert fields["Title"] == (2, ["null", "string"], "Data:Text")
    assert fields["HasOptedOutOfEmail"] == (18, ["null", "boolean"], "Data:Boolean")
    assert fields["LastModifiedDate"] == (27, ["null", "long"], "Data:DateTime")
    assert fields["GenderIdentity"][0] == 41


def test_the_contacts_second_address_refers_to_the_first(bus):
    topic = bus.stub.GetTopic(messages.TopicRequest(topic_name="/data/ContactChangeEvent"), metadata=bus.metadata)
    answer = bus.stub.GetSchema(messages.SchemaRequest(schema_id=topic.schema_id), metadata=bus.metadata)
    fields = json.loads(answer.schema_json)["fields"]
    assert fields[4]["type"][1]["name"] == "Address"
    assert (fields[5]["name"], fields[5]["type"]) == ("MailingAddress", ["null", "Address"])
    assert (fields[39]["name"], len(fields)) == ("BuyerAttributes", 40)


def test_a_new_field_makes_a_new_schema_and_the_old_one_stays(bus):
    bus.edit({"Title": "Boss"})
    before = bus.stub.GetTopic(TOPIC, metadata=bus.metadata).schema_id
    bus.org.load({"custom_fields": {"Lead": [{"name": "Shoe_Size__c", "type": "string", "length": 20}]}})
    bus.edit({"Shoe_Size__c": "43"})
    after = bus.stub.GetTopic(TOPIC, metadata=bus.metadata).schema_id
    assert before != after
    old, new = bus.earliest().take(2)
    assert (old.event.schema_id, new.event.schema_id) == (before, after)
    assert "Shoe_Size__c" not in bus.decoded(old)
    event = bus.decoded(new)
    assert event["Shoe_Size__c"] == "43"
    assert event["ChangeEventHeader"]["changedFields"] == ["0x040008000000"]


def test_an_unknown_schema(bus):
    unknown = (grpc.StatusCode.NOT_FOUND, "sfdc.platform.eventbus.grpc.schema.meta.permission")
    assert refusal(bus.stub.GetSchema, messages.SchemaRequest(schema_id="nonsense"), metadata=bus.metadata) == unknown


@pytest.mark.parametrize(
    "settings",
    [
        {"keepalive": 1},
        {"keepalive_seconds": "1"},
        {"duplicates": -1},
        {"capture": {"Lead": 1}},
        {"down": 1},
        {"seed": 1.5},
    ],
)
def test_a_wrong_setting_is_an_error(bus, settings):
    with pytest.raises(ValueError, match="settings of events"):
        bus.org.configure({"events": settings})
