"""Dead letters: messages that could not be read, with their bytes untouched and the reason beside them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PREFIX = "onrecord-dlq-"
"""What the names of the headers that a dead letter gains begin with."""

REPLAYS_HEADER = "onrecord-replays"
"""On a message that was replayed from the dead-letter topic: how often, so that a replay cannot loop."""


class Reason(StrEnum):
    """Why a message is a dead letter. A closed list: infrastructure faults are never among them."""

    EMPTY = "empty"
    MESSAGE_TOO_LARGE = "message_too_large"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    INVALID_ARTICLE = "invalid_article"
    TEXT_TOO_LONG = "text_too_long"
    TITLE_TOO_LONG = "title_too_long"
    TOO_MANY_FIELDS = "too_many_fields"
    READING_FAILED = "reading_failed"
    WORKER_CRASH = "worker_crash"
    DEADLINE = "deadline"
    OUTPUT_TOO_LARGE = "output_too_large"


class DeadLetterHeaders(BaseModel):
    """The headers that a dead letter gains. Its key, value, timestamp and own headers stay as they were.

    In Kafka each field is one header, named `onrecord-dlq-` and the field with dashes, its value UTF-8 text.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: Annotated[str, Field(description="where the message came from")]
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    reason: Reason
    message: Annotated[str, Field(description="what is wrong, naming the field; never text of the article")]
    attempts: Annotated[int, Field(ge=1, description="how often the message was tried")]
    service_version: str
    time: Annotated[datetime, Field(description="when it was given up")]

    def to_kafka(self) -> list[tuple[str, bytes]]:
        """Return the headers as Kafka carries them."""
        values = self.model_dump(mode="json")
        return [(PREFIX + name.replace("_", "-"), str(value).encode()) for name, value in values.items()]

    @classmethod
    def from_kafka(cls, headers: list[tuple[str, bytes]]) -> "DeadLetterHeaders":
        """Return what the headers of a dead letter say; raises pydantic's ValidationError when they are not its."""
        own = {name[len(PREFIX) :]: value for name, value in headers if name.startswith(PREFIX)}
        return cls.model_validate({name.replace("-", "_"): value.decode() for name, value in own.items()})


def original_headers(headers: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Return the headers that a dead letter had before it became one, in their order."""
    return [(name, value) for name, value in headers if not name.startswith(PREFIX)]
