"""What tracing asks of the stream, and tracing that is switched off: it does nothing and imports nothing.

spans.py does it with OpenTelemetry, and is imported when ONRECORD_TRACING_ENABLED says so, no sooner.
"""

from services.enricher.consumer import Raw
from services.enricher.messages import Failure, Outgoing, Result


class Trace:
    """The trace of one article, told of each thing as it happens. This one tells nobody."""

    trace_id: str | None = None
    """The trace's id in hexadecimal digits, where the raw message brought none."""

    def read(self, result: Result) -> tuple[Outgoing, ...]:
        """The article was read, and its turn to be published has come. Returns its outputs as they are to be sent."""
        return result.outputs

    def retried(self, error: str) -> None:
        """The brokers did not take it, for the reason that `error` gives, and are asked again."""

    def delivered(self, articles: int, failure: Failure | None) -> None:
        """The brokers have confirmed it in one go with others, `articles` in all; `failure` made it a dead letter."""

    def dropped(self, reason: str) -> None:
        """This worker does not deliver it: another has, or will."""


class Tracing:
    """Begins the traces of a worker's articles. This one is switched off."""

    def begin(self, raw: Raw) -> Trace:
        """A message was taken to be read."""
        return _UNTOLD

    def close(self) -> None:
        """Send what was not sent yet, as far as that takes no more than seconds. Blocks."""


_UNTOLD = Trace()
