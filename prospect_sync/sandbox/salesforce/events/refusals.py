"""The Pub/Sub API's refusals by name: gRPC status, the vendor's error code for the trailer, and words."""

import uuid

import grpc

_PREFIX = "sfdc.platform.eventbus.grpc."


class Refused(Exception):  # noqa: N818 - an answer, like OrgError, not a fault of ours
    """Ends a call; `code` goes into the trailer `error-code`, without one there is no such trailer."""

    def __init__(self, status: grpc.StatusCode, code: str, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.rpc_id = str(uuid.uuid4())
        self.words = f"{words} rpcId: {self.rpc_id}"
        self.trailers: tuple[tuple[str, str], ...] = (("rpc-id", self.rpc_id),)
        if code:
            self.trailers += (("error-code", code if code.startswith(_PREFIX) else _PREFIX + code),)


def no_credentials(name: str) -> Refused:
    words = f"The {name} header is missing or blank."
    return Refused(grpc.StatusCode.UNAUTHENTICATED, "service.auth.headers.invalid", words)


def not_authenticated() -> Refused:
    words = "An authentication exception occurred. Provide valid authentication via metadata headers."
    return Refused(grpc.StatusCode.UNAUTHENTICATED, "service.auth.error", words)


def topic_not_found(org: str, topic: str) -> Refused:
    words = (
        f"The topic information for org {org} and topic {topic} not found. Ensure the topic name is correct and that "
        "the topic exists."
    )
    return Refused(grpc.StatusCode.NOT_FOUND, "topic.not.found", words)


def topic_empty() -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "topic.validation.empty", "The topic name can't be blank.")


def topic_changed() -> Refused:
    words = "The topic name differs from the one in the first request of the stream."
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.topic.mismatch", words)


def schema_empty() -> Refused:
    words = "Schema validation failed. The schema ID can't be blank."
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "schema.validation.failed", words)


def schema_not_found(schema_id: str) -> Refused:
    words = f"The schema with ID {schema_id} can't be found or accessed."
    return Refused(grpc.StatusCode.NOT_FOUND, "schema.meta.permission", words)


def replay_id_corrupted() -> Refused:
    words = "The Replay ID validation failed. Ensure that the Replay ID is valid."
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.corrupted", words)


def replay_id_missing() -> Refused:
    words = "The replay preset is CUSTOM, but no Replay ID is set."
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.replayid.validation.failed", words)


def nothing_requested() -> Refused:
    words = "The number of requested events must be greater than zero."
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, "subscription.fetch.requested.events.invalid", words)


def deliveries_used_up() -> Refused:
    words = "You have exceeded the event delivery limit for your org."
    return Refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "subscription.limit.exceeded", words)


def unavailable() -> Refused:
    words = "The Pub/Sub API service is unavailable."
    return Refused(grpc.StatusCode.UNAVAILABLE, "service.unavailable", words)


def dropped(status: str, code: str) -> Refused:
    return Refused(grpc.StatusCode[status], code, "RST_STREAM closed stream.")


def unsupported(rpc: str) -> Refused:
    return Refused(grpc.StatusCode.UNIMPLEMENTED, "", f"{rpc} is not supported here.")
