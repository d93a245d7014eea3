"""What comes out of Kafka for the articles that went in: shown an article at a time, and accounted for."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

from schemas import (
    ArticleReference,
    DeadLetterHeaders,
    EnrichedArticle,
    Position,
    PositionStated,
    Quote,
    QuoteExtracted,
)
from schemas.topics import DEAD_LETTERS, ENRICHED, POSITIONS, QUOTES
from services.cli import deadletters, report
from services.cli.console import show
from services.cli.kafka import Record

TOPICS = (ENRICHED.name, QUOTES.name, POSITIONS.name, DEAD_LETTERS.name)

# Of each article: enough to see what the reading does, few enough to read.
_SHOWN = 3

Version = tuple[str, int]
"""One version of an article: its id and its revision."""


@dataclass(slots=True)
class Arrivals:
    """Takes in the messages of TOPICS, in whatever order they come.

    An article is shown, and counts as read, when its enriched event and all of its quotes and positions are there.
    """

    readings: dict[Version, EnrichedArticle] = field(default_factory=dict)
    items: dict[Version, dict[str, Text]] = field(default_factory=lambda: defaultdict(dict))
    """Each quote and position that has come, in words, by its id."""
    complete: set[Version] = field(default_factory=set)
    dead: dict[tuple[int, int], str] = field(default_factory=dict)
    """The key of each dead letter, by the partition and offset of the message that it was."""

    def accounted(self) -> Counter[str]:
        """Return how many messages of each key were read completely, or are dead letters."""
        return Counter([article_id for article_id, _ in self.complete]) + Counter(self.dead.values())

    def add(self, record: Record) -> None:
        """Take in a message, and show what it completes."""
        value = record.value or b"null"
        if record.topic == DEAD_LETTERS.name:
            self._add_dead_letter(record)
            return
        if record.topic == QUOTES.name:
            quoted = QuoteExtracted.model_validate_json(value)
            version = self._add_item(quoted.article, quoted.quote.id, report.quote(quoted.quote))
        elif record.topic == POSITIONS.name:
            stated = PositionStated.model_validate_json(value)
            version = self._add_item(stated.article, stated.position.id, report.position(stated.position))
        else:
            reading = EnrichedArticle.model_validate_json(value)
            version = reading.article_id, reading.revision
            self.readings[version] = reading
        if version not in self.complete and version in self.readings:
            self._show_if_complete(version)

    def _add_item(self, article: ArticleReference, item_id: str, words: Text) -> Version:
        version = article.article_id, article.revision
        self.items[version][item_id] = words
        return version

    def _add_dead_letter(self, record: Record) -> None:
        headers = DeadLetterHeaders.from_kafka(list(record.headers))
        self.dead[headers.partition, headers.offset] = deadletters.key(record)
        show()
        show(Text.assemble(("dead letter ", "bold red"), deadletters.describe(record)))

    def _show_if_complete(self, version: Version) -> None:
        reading, items = self.readings[version], self.items[version]
        wanted = {quote.id for quote in reading.quotes} | {position.id for position in reading.positions}
        if not wanted <= items.keys():
            return
        self.complete.add(version)
        show()
        show(report.summary(reading))
        for quote in _surest(reading.quotes):
            show(Text.assemble(("  quote    ", "cyan"), items[quote.id]))
        for position in _surest(reading.positions):
            show(Text.assemble(("  position ", "cyan"), items[position.id]))


def _surest(items: Sequence[Quote | Position]) -> list[Quote | Position]:
    """Return the few items to show: those of the highest confidence, in the order of the text."""
    surest = sorted(items, key=lambda item: -item.confidence)[:_SHOWN]
    return [item for item in items if item in surest]
