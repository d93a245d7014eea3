"""Quotes: what the learned reader attributes and what quotation marks make certain, with their speakers resolved.

The reader finds who says what. Marks mend its borders, and add what it has missed: a closed pair with a cue beside it
is a quote whatever the reader says, and so is the next sentence between marks.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter

from spacy.tokens import Doc, Token

from schemas import Act, Entity, QuoteKind
from services.extraction import borders, syntax
from services.extraction.attributions import Paragraph, Pattern, Said
from services.extraction.coreference import Coreference
from services.extraction.cues import Cues, lexicon
from services.extraction.document import Block, Document, Offsets
from services.extraction.quotation import Passage
from services.extraction.reports import Report, likely
from services.extraction.thresholds import Thresholds
from services.extraction.transcripts import Turn, turns
from services.extraction.wordlists import rows

LONGEST_TITLE = 8
"""Longer words of a title: in English nearly all titles of works begin these with capitals, and no sentence does."""

CARRY_PARAGRAPHS = 1
"""How many paragraphs back a passage without cue finds its speaker: the one before, or its own."""

DIRECT_SHARE, INDIRECT_SHARE = 0.95, 0.02
"""Share of letters inside marks from which a quote is direct, and up to which it is indirect; between, it is mixed."""


@dataclass(slots=True)
class Found:
    """A quote before it becomes an event, in character offsets."""

    pieces: list[Offsets]
    cue: Offsets | None
    speaker: Offsets | None
    act: Act
    confidence: float
    carried: bool = False
    """Whether it goes on from the quote before: it has no cue, and the speaker is that one's."""
    kind: QuoteKind = QuoteKind.INDIRECT
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


def extract(
    document: Document,
    doc: Doc,
    coreference: Coreference,
    marked: Sequence[Passage],
    reports: Sequence[Report],
    *,
    least: Thresholds,
) -> list[Found]:
    """Return the quotes of an article in the order of their first words.

    `doc` is spaCy's reading of the article's text, offset for offset, with parse, tags and lemmas; `marked` its
    passages between quotation marks, `reports` the attributions that the learned reader takes to be possible, both in
    order. Of these, all that are at least as sure as `least` asks are quotes.
    """
    cues = lexicon()
    blocks = document.spoken
    found = [_turn(turn) for turn in turns(document)]
    sure = _sure(document.text, doc, reports, marked, least)
    narrated = _outside([quote.pieces[0] for quote in found], likely(sure))
    found += _attributed(document.text, doc, marked, narrated, cues)
    _with_marked(found, _marked_quotes(document.text, doc, blocks, marked, cues), cues)
    found.sort(key=lambda quote: (quote.start, quote.end))
    for quote in found:
        if quote.kind is not QuoteKind.DIRECT:
            quote.kind = kind_of(document.text, quote.pieces, marked)
        if quote.kind is QuoteKind.DIRECT:
            quote.act = Act.SAY
    _resolve(found, doc, blocks, coreference)
    return found


def _sure(
    text: str, doc: Doc, reports: Iterable[Report], marked: Sequence[Passage], least: Thresholds
) -> Iterator[Report]:
    """Yield the attributions that are as sure as `least` asks: words between marks are said, whatever the cue."""
    for report in reports:
        is_said = (
            _act(doc, report.cue, lexicon()) is Act.SAY or kind_of(text, report.content, marked) is QuoteKind.DIRECT
        )
        if report.confidence >= (least.quote if is_said else least.thought):
            yield report


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


def _turn(turn: Turn) -> Found:
    """Return what is said in a printed conversation: word for word, though no marks enclose it."""
    precision = _pattern_precision()[Pattern.TURN]
    return Found([turn.words], None, turn.speaker, Act.SAY, precision, kind=QuoteKind.DIRECT)


def _outside(spoken: Sequence[Offsets], reports: Iterable[Report]) -> Iterator[Report]:
    """Yield the attributions that do not begin in one of the stretches `spoken`, which are in order."""
    for report in reports:
        start = report.content[0][0]
        last = bisect_right(spoken, start, key=itemgetter(0)) - 1
        if last < 0 or spoken[last][1] <= start:
            yield report


def _attributed(text: str, doc: Doc, marked: Sequence[Passage], reports: Iterable[Report], cues: Cues) -> list[Found]:
    """Return the attributions as quotes, with borders that cut through no pair of marks.

    Every word is in one quote: where marks make two overlap, the likelier has the words.
    """
    taken = bytearray(len(text))
    found = []
    for report in sorted(reports, key=lambda each: (-each.confidence, each.cue)):
        pieces = [piece for each in borders.mend(text, report.content, marked) if (piece := _free(each, taken))]
        if not pieces or _is_named(text, doc, report.cue, pieces, marked):
            continue
        act = _act(doc, report.cue, cues)
        for start, end in pieces:
            taken[start:end] = b"\x01" * (end - start)
        speaker = syntax.without_clause(doc, *report.source) if report.source is not None else None
        apart = borders.apart(text, doc, pieces, marked)
        with_cue = min(apart, key=lambda group: _distance(group, report.cue))
        for group in apart:
            goes_on = group is not with_cue
            cue = None if goes_on else report.cue
            found.append(Found(group, cue, speaker, act, report.confidence, carried=goes_on))
    return found


def _distance(pieces: Sequence[Offsets], cue: Offsets) -> int:
    """Return how many characters lie between a cue and the nearest of `pieces`."""
    return min(max(cue[0] - end, start - cue[1], 0) for start, end in pieces)


def _is_named(text: str, doc: Doc, cue: Offsets, pieces: Sequence[Offsets], marked: Sequence[Passage]) -> bool:
    """Return whether the marks hold a name, and nobody's words.

    - the title of a work: 'Her favourite book is *"The Long Winter"*'
    - a name given: 'an album called *"The Sea at Night"*', 'a boat named *"Morning Star"*'
    - a motto: 'The motto of the club is *“all for the valley”*'
    """
    cues = lexicon()
    inside = borders.overlapping(marked, pieces[0])
    begins = bool(inside) and inside[0].start <= pieces[0][0]
    words = list(syntax.span_at(doc, *cue) or ())
    is_given = any(syntax.is_naming(word) for word in words)
    is_motto = any(word.lower_ in cues.mottos for word in words) and any(word.lemma_ == "be" for word in words)
    if begins and (is_given or is_motto):
        return True
    return _act(doc, cue, cues) is Act.THINK and _is_title(text, pieces, marked)


def _is_title(text: str, pieces: Sequence[Offsets], marked: Sequence[Passage]) -> bool:
    """Return whether what is said is but the title of a work: 'Her favourite book is *"The Long Winter"*'."""
    for passage in borders.overlapping(marked, pieces[-1]):
        start, end = passage.inner(text)
        words = [word for word in text[start:end].split() if len(word) > 3]
        is_last = pieces[-1][0] <= passage.start and passage.end <= pieces[-1][1]
        if is_last and 0 < len(words) <= LONGEST_TITLE and all(word[0].isupper() for word in words):
            return True
    return False


def _free(piece: Offsets, taken: bytearray) -> Offsets | None:
    """Return what of `piece` is not taken, up to the first word that is; None when that is nothing."""
    start = taken.find(0, *piece)
    if start < 0:
        return None
    end = taken.find(1, start, piece[1])
    return start, end if end >= 0 else piece[1]


def _act(doc: Doc, cue: Offsets, cues: Cues) -> Act:
    """Return whether the words of a cue report speech or thought; what is not known to report speech reports thought.

    "According to" and a mark alone ("Merz: …") report speech.
    """
    words = list(syntax.span_at(doc, *cue) or ())
    acts = {cues.acts.get(word.lemma_.lower()) for word in words} | {cues.acts.get(word.lower_) for word in words}
    said = Act.SAY in acts or any(word.lower_ == "according" for word in words)
    return Act.SAY if said or not any(word.is_alpha for word in words) else Act.THINK


def _with_marked(found: list[Found], marked: Iterable[Said], cues: Cues) -> None:
    """Add the quotes that marks make to those `found`; where one is known, only what is still missing of it."""
    known = sorted(((piece, quote) for quote in found for piece in quote.pieces), key=itemgetter(0))
    ends = [piece[1] for piece, _ in known]
    for said in marked:
        overlapping = [list(_overlapping(known, ends, piece)) for piece in said.pieces]
        best = max((each for piece in overlapping for each in piece), key=lambda each: each[0], default=None)
        if best is None:
            found.append(_found(said, cues))
            continue
        quote = best[1]
        free = [piece for piece, over in zip(said.pieces, overlapping, strict=True) if not over]
        quote.pieces = sorted([*quote.pieces, *free])
        quote.confidence = max(quote.confidence, _pattern_precision()[said.pattern])
        if quote.speaker is None and said.source is not None:
            quote.speaker = syntax.noun_phrase(said.source)


def _overlapping(
    known: Sequence[tuple[Offsets, Found]], ends: Sequence[int], piece: Offsets
) -> Iterator[tuple[int, Found]]:
    """Yield the quotes that share characters with `piece`, and how many."""
    for index in range(bisect_right(ends, piece[0]), len(known)):
        (start, end), quote = known[index]
        if start >= piece[1]:
            return
        yield min(end, piece[1]) - max(start, piece[0]), quote


def _found(said: Said, cues: Cues) -> Found:
    return Found(
        said.pieces,
        syntax.edges(said.cue) if said.cue else None,
        syntax.noun_phrase(said.source) if said.source is not None else None,
        cues.acts.get(said.cue[0].lemma_.lower(), Act.SAY) if said.cue else Act.SAY,
        _pattern_precision()[said.pattern],
        carried=said.pattern is Pattern.CARRIED,
    )


def _resolve(found: Sequence[Found], doc: Doc, blocks: Sequence[Block], coreference: Coreference) -> None:
    """Name the speakers, in order, so that a quote without one can take over the one before."""
    starts = [block.start for block in blocks]
    last: Found | None = None
    for quote in found:
        if quote.speaker is not None:
            quote.entity = coreference.resolve(*quote.speaker)
        elif quote.carried and last is not None and last.speaker is not None:
            apart = bisect_right(starts, quote.start) - bisect_right(starts, last.end - 1)
            if apart <= CARRY_PARAGRAPHS:
                quote.speaker, quote.entity = _antecedent(doc, last.speaker), last.entity
        if quote.speaker is not None:
            quote.name = coreference.name(*quote.speaker)
        if quote.act is Act.SAY and quote.speaker is not None and not quote.carried:
            last = quote


def _antecedent(doc: Doc, speaker: Offsets) -> Offsets:
    """Return the noun phrase that a relative pronoun stands for, or the speaker as it is."""
    span = syntax.span_at(doc, *speaker)
    if span is None or span.root.tag_ not in ("WP", "WDT"):
        return speaker
    return syntax.noun_phrase(syntax.antecedent(span.root))


@cache
def _pattern_precision() -> dict[Pattern, float]:
    return {Pattern(pattern): float(precision) for pattern, precision in rows("quote_patterns.tsv")}
