"""Quotes: marked passages and reporting clauses brought together, with their speakers resolved.

What marks make certain comes first. A reporting clause then adds what has no marks, takes in the marked words that it
contains ("he called it “a mistake”"), and gives way where a marked quote has the same cue.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from spacy.tokens import Doc, Token

from schemas import Act, Entity, QuoteKind
from services.extraction import borders, syntax
from services.extraction.attributions import Paragraph, Pattern, Said
from services.extraction.clauses import Report, candidates
from services.extraction.coreference import Coreference
from services.extraction.cues import Cues, lexicon
from services.extraction.document import Block, Document, Offsets, Zone
from services.extraction.quotation import Passage, passages
from services.extraction.wordlists import rows

SPOKEN_ZONES = frozenset({Zone.HEADLINE, Zone.DECK, Zone.BODY})
"""Captions, bylines and links to other articles are not this article's speech."""

REPORT_THRESHOLD = 0.5
"""Least precision of a reporting clause, in its counts on training articles: it must be right more often than not."""

CARRY_PARAGRAPHS = 1
"""How many paragraphs back a passage without cue finds its speaker: the one before, or its own."""

DIRECT_SHARE, INDIRECT_SHARE = 0.95, 0.02
"""Share of letters inside marks from which a quote is direct, and up to which it is indirect; between, it is mixed."""


@dataclass(slots=True)
class Found:
    """A quote before it becomes an event: character offsets and parse tokens."""

    pieces: list[Offsets]
    cue: Offsets | None
    source: Token | None
    """Head of the speaker's noun phrase."""
    act: Act
    confidence: float
    carried: bool = False
    kind: QuoteKind = QuoteKind.INDIRECT
    speaker: Offsets | None = None
    entity: Entity | None = None
    name: str | None = None
    """By what name to call the speaker; several people ("Marsh and Bell") have names and are no one entity."""

    @property
    def start(self) -> int:
        """Offset of the first word."""
        return self.pieces[0][0]

    @property
    def end(self) -> int:
        """Offset after the last word."""
        return self.pieces[-1][1]


def extract(document: Document, doc: Doc, coreference: Coreference) -> list[Found]:
    """Return the quotes of an article in the order of their first words.

    `doc` is spaCy's reading of the article's text, offset for offset, with parse, tags and lemmas.
    """
    cues = lexicon()
    blocks = [block for block in document.blocks if block.zone in SPOKEN_ZONES]
    marked = passages(document.text, [(block.start, block.end) for block in blocks])
    said = list(_marked_quotes(document.text, doc, blocks, marked, cues))
    found = _with_reports(document, doc, said, marked, cues)
    found.sort(key=lambda quote: (quote.start, quote.end))
    for quote in found:
        quote.kind = kind_of(document.text, quote.pieces, marked)
    _resolve(found, blocks, coreference)
    return found


def kind_of(text: str, pieces: Sequence[Offsets], marked: Sequence[Passage]) -> QuoteKind:
    """Return whether quotation marks enclose all, none or part of the letters of `pieces`."""
    letters = inside = 0
    for start, end in pieces:
        letters += sum(character.isalnum() for character in text[start:end])
        for passage in borders.overlapping(marked, (start, end)):
            inside += sum(character.isalnum() for character in text[max(start, passage.start) : min(end, passage.end)])
    share = inside / letters if letters else 0.0
    if share >= DIRECT_SHARE:
        return QuoteKind.DIRECT
    return QuoteKind.INDIRECT if share <= INDIRECT_SHARE else QuoteKind.MIXED


def _marked_quotes(
    text: str, doc: Doc, blocks: Sequence[Block], marked: Sequence[Passage], cues: Cues
) -> Iterator[Said]:
    """Yield the quotes that marks make, paragraph by paragraph."""
    lead: Sequence[Token] = ()
    for start, end, inside in _stretches(blocks, marked):
        paragraph = Paragraph(text, doc, (start, end), inside, cues=cues, lead=lead)
        yield from paragraph.quotes()
        lead = paragraph.lead()


def _stretches(blocks: Sequence[Block], marked: Sequence[Passage]) -> Iterator[tuple[int, int, list[Passage]]]:
    """Yield start, end and passages of every paragraph; of several at once where a passage spans them."""
    waiting = list(reversed(marked))
    start: int | None = None
    inside: list[Passage] = []
    for block in blocks:
        start = block.start if start is None else start
        while waiting and waiting[-1].start < block.end:
            inside.append(waiting.pop())
        if inside and inside[-1].end > block.end:
            continue
        yield start, block.end, inside
        start, inside = None, []


def _with_reports(document: Document, doc: Doc, said: list[Said], marked: Sequence[Passage], cues: Cues) -> list[Found]:
    """Return the marked quotes and the reporting clauses that are none of them.

    Reports inside a quote are its speaker's affair, not the article's: each stretch of text is in one quote.
    """
    taken = bytearray(len(document.text))
    for passage in marked:
        _take(taken, (passage.start, passage.end))
    for quote in said:
        for piece in quote.pieces:
            _take(taken, piece)
    by_cue = {quote.cue[0].idx: quote for quote in said if quote.cue}
    merged: list[Found] = []
    reports = [report for report in _likely(document, doc, cues) if not taken[report.cue[0]]]
    for report in sorted(reports, key=lambda each: (-_size(each.content), each.cue)):
        if taken[report.cue[0]]:
            continue
        same = by_cue.get(report.cue[0])
        if same is not None:
            borders.complete(document.text, same, report)
            continue
        content = borders.beside(borders.mend(document.text, report.content, marked), said)
        if _size(content):
            merged.append(
                Found(
                    content,
                    report.cue,
                    report.source,
                    cues.act(report.lemma),
                    cues.precision(report.frame, report.lemma),
                )
            )
            for piece in content:
                _take(taken, piece)
    return merged + [_found(quote, cues) for quote in said]


def _likely(document: Document, doc: Doc, cues: Cues) -> Iterator[Report]:
    """Yield, of all clauses in the form of a report, one a cue, those that mostly are one."""
    best: dict[int, tuple[float, Report]] = {}
    for report in candidates(doc):
        precision = cues.precision(report.frame, report.lemma)
        cue = report.cue[0]
        if precision < REPORT_THRESHOLD or document.zone_at(cue) not in SPOKEN_ZONES:
            continue
        if cue not in best or precision > best[cue][0]:
            best[cue] = precision, report
    return (report for _, report in best.values())


def _found(quote: Said, cues: Cues) -> Found:
    cue = syntax.edges(quote.cue) if quote.cue else None
    act = cues.acts.get(quote.cue[0].lemma_.lower(), Act.SAY) if quote.cue else Act.SAY
    return Found(
        quote.pieces,
        cue,
        quote.source,
        act,
        _pattern_precision()[quote.pattern],
        carried=quote.pattern is Pattern.CARRIED,
    )


def _resolve(found: Sequence[Found], blocks: Sequence[Block], coreference: Coreference) -> None:
    """Name the speakers, in order, so that a quote without one can take over the one before."""
    starts = [block.start for block in blocks]
    last: Found | None = None
    for quote in found:
        if quote.source is not None:
            quote.speaker = syntax.noun_phrase(quote.source)
            quote.entity = coreference.resolve(*quote.speaker)
        elif quote.carried and last is not None and last.source is not None:
            apart = bisect_right(starts, quote.start) - bisect_right(starts, last.end - 1)
            if apart <= CARRY_PARAGRAPHS:
                quote.speaker, quote.entity = syntax.noun_phrase(syntax.antecedent(last.source)), last.entity
        if quote.speaker is not None:
            quote.name = coreference.name(*quote.speaker)
        if quote.act is Act.SAY and quote.source is not None:
            last = quote


def _take(taken: bytearray, piece: Offsets) -> None:
    start, end = piece
    taken[start:end] = b"\x01" * (end - start)


def _size(pieces: Sequence[Offsets]) -> int:
    return sum(end - start for start, end in pieces)


@cache
def _pattern_precision() -> dict[Pattern, float]:
    return {Pattern(pattern): float(precision) for pattern, precision in rows("quote_patterns.tsv")}
