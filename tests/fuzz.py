"""Throws hostile messages at the whole path from bytes to events: `python -m tests.fuzz --minutes 10 [--seed N]`.

Messages are made of pieces that news articles have, put together as none should, and then damaged as text, as fields or
as bytes. Whatever comes must have a result: events that hold to the contract, or a failure that does not quote it.
"""

import argparse
import json
import logging
import random
import time
from collections.abc import Callable, Iterator

from pydantic import BaseModel

from schemas import EnrichedArticle, Span, topics
from services.enricher.messages import Message, Result
from services.enricher.reading import Reader
from services.enricher.settings import Settings

log = logging.getLogger("fuzz")

SECRET = "Quenlyvaric"  # a word of every text, which no failure may repeat
PIECES = [
    f"{SECRET} Marlow, the prime minister, said on Monday that the government would cut fuel duty.",
    f'"We will not sign it," {SECRET} said, "and nobody should."',
    "“The treaty must be ratified,” said Ana Duarte, who leads the Harbour Party. “At once.”",
    "Opposition lawmakers urged the ministry to withdraw the bill, calling it “reckless”.",
    "PRIME MINISTER REJECTS CALLS FOR EARLY ELECTION",
    "LISBON, March 3 (Agency) — Ministers met on Tuesday.",
    "Q: Do you support the tariff? A: No. I oppose it, and so does the chancellor.",
    "She told reporters: 'Nothing has been decided,' according to her spokesman.",
    "According to the European Commission, $4.5 billion (3 per cent) was spent in 2019.",
    "Photo: Jane Roe/AFP",
    "READ MORE: Senate votes on defence budget",
    "By John Smith and Mary Major",
    "He said she said they said it said.",
    "The U.S. and the U.K. said No. 10 would not comment. “",
    "* * *",
]
ODD = [
    "",
    " ",
    "\n\n",
    "\r\n",
    "\t",
    "\0",
    "\ufeff",
    "\u200b",
    "\u200f",
    "\u2028",
    "\u0301",
    "\u00a0",
    "“",
    "”",
    '"',
    "'",
    "’",
    "«",
    "—",
    "…",
    ".",
    ",",
    ":",
    "(",
    "]",
    "\N{GRINNING FACE}",
    "\N{REGIONAL INDICATOR SYMBOL LETTER U}",
    "\U0010ffff",
    "İ",
    "ß",
    "ﬁ",
    "漢字",
    "مرحبا",
    "A" * 300,
    "“" * 40,
    '" ' * 40,
    "said " * 40,
    "U.S." * 40,
    "http://x.y/" + "z" * 200,
    "1" * 100,
]
VALUES: list[object] = [
    None,
    True,
    0,
    -1,
    1e300,
    "",
    "x",
    "2024-02-30",
    "de",
    "en-GB",
    [],
    {},
    ["a"],
    {"a": [1]},
    10**30,
]
FIELDS = [
    "article_id",
    "body",
    "title",
    "language",
    "published_at",
    "authors",
    "revision",
    "url",
    "source",
    "extra",
    "",
]


class Fuzzer:
    """Makes the same messages for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def message(self) -> Message:
        """Return a message: an odd article, and sometimes one that is damaged."""
        fields: dict[str, object] = {"article_id": self._random.choice(["a", "é" * 128, "\n"]), "body": self._text()}
        if self._random.random() < 0.5:
            fields["title"] = self._random.choice([self._text()[:1500], str(fields["body"])[:40], *PIECES])
        if self._random.random() < 0.2:
            fields[self._random.choice(FIELDS)] = self._random.choice(VALUES)
        value = json.dumps(fields, ensure_ascii=self._random.random() < 0.5).encode("utf-8", "surrogatepass")
        if self._random.random() < 0.2:
            value = self._damaged(value)
        trace = [("traceparent", self._random.randbytes(8))] if self._random.random() < 0.1 else []
        return Message(value, trace)

    def _text(self) -> str:
        pieces = self._random.choices(PIECES, k=self._random.randint(0, 12))
        text = self._random.choice([" ", "\n", "\n\n", "\r\n", ""]).join(pieces)
        for _ in range(self._random.randint(0, 8)):
            at = self._random.randint(0, len(text))
            cut = at + self._random.choice([0, 0, 0, 1, 5])
            text = text[:at] + self._random.choice(ODD) + text[cut:]
        return text.upper() if self._random.random() < 0.05 else text

    def _damaged(self, value: bytes) -> bytes:
        at = self._random.randint(0, len(value))
        until = self._random.randint(at, min(len(value), at + 40))
        middle = self._random.choice(
            [b"", value[at:until] * 3, self._random.randbytes(4), b"[" * 50, b"\xff", b'"', b"\\"]
        )
        return value[:at] + middle + value[until:]


def spans(model: BaseModel) -> Iterator[Span]:
    """Yield every span in a model, however deep."""
    if isinstance(model, Span):
        yield model
    for value in dict(model).values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                yield from spans(one)


def check(result: Result) -> None:
    """Raise AssertionError when a result breaks a promise of the contract."""
    if result.failure is not None:
        assert not result.outputs
        assert SECRET.lower() not in result.failure.message.lower(), "a failure quotes the article"
        return
    whole, *items = result.outputs
    assert whole.topic == topics.ENRICHED.name
    enriched = EnrichedArticle.model_validate_json(whole.value or b"")
    assert enriched.text is not None
    for span in spans(enriched):
        assert enriched.text[span.start : span.end] == span.text, f"broken span {span.start} to {span.end}"
    everything = [*enriched.entities, *enriched.quotes, *enriched.positions]
    assert len({one.id for one in everything}) == len(everything), "two items with one id"
    assert [dict(item.headers)["ce_id"].decode() for item in items] == [one.id for one in everything]
    carried = {topic.name: topic.carries for topic in topics.OUTPUTS}
    for item in items:
        model = carried[item.topic]
        assert model is not None
        model.model_validate_json(item.value or b"")


def fuzz(reader: Reader, seed: int, more: Callable[[int], bool]) -> int:
    """Read batch after batch while `more` says so of the number of messages; return that number.

    Raises AssertionError, with the message beside it as a note, for a result that breaks a promise: a reading must
    also be the same alone as in company.
    """
    fuzzer = Fuzzer(seed)
    read = 0
    while more(read):
        batch = [fuzzer.message() for _ in range(4)]
        results = reader.read(batch)
        for message, result in zip(batch, results, strict=True):
            try:
                check(result)
                (alone,) = reader.read([message])
                assert [one.value for one in alone.outputs] == [one.value for one in result.outputs]
                if result.failure is not None:
                    assert result.failure.reason != "reading_failed", result.failure.message
            except AssertionError as error:
                error.add_note(f"seed {seed}, message {message.value!r}")
                raise
        read += len(batch)
    return read


def main() -> None:
    """Fuzz for some minutes, and say how much was read."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    options = arguments.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    log.info("seed %d", options.seed)
    end = time.monotonic() + options.minutes * 60
    read = fuzz(Reader(Settings()), options.seed, lambda _: time.monotonic() < end)
    log.info("%d messages, no promise broken", read)


if __name__ == "__main__":
    main()
