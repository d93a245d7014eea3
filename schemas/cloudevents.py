"""CloudEvents 1.0 headers in Kafka's binary content mode.

Source: CloudEvents specification 1.0.2 and its Kafka protocol binding: attributes travel as headers with the prefix
`ce_`, the value is the data alone, and `content-type` names its media type.
"""

from datetime import datetime

CONTENT_TYPE = "application/json"
SOURCE = "urn:onrecord:enricher"
TRACEPARENT = "traceparent"
"""W3C Trace Context header; carried from the raw event into everything that comes of it."""


def schema_uri(event_type: str) -> str:
    """Return the name of the JSON Schema of an event type; it is the `$id` of the schema file."""
    return f"urn:onrecord:schema:{event_type}"


def headers(
    *,
    event_id: str,
    event_type: str,
    subject: str,
    time: datetime,
    source: str = SOURCE,
    traceparent: str | None = None,
) -> list[tuple[str, bytes]]:
    """Return the Kafka headers of an event.

    `event_type` is the topic's name; `subject` the article's id; `time` when the event was made.
    """
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": source,
        "ce_type": event_type,
        "ce_time": time.isoformat(),
        "ce_subject": subject,
        "ce_dataschema": schema_uri(event_type),
        "content-type": CONTENT_TYPE,
    }
    if traceparent is not None:
        attributes[TRACEPARENT] = traceparent
    return [(name, value.encode()) for name, value in attributes.items()]
