"""The parts of a news article: which stretch of the text is headline, body, caption, byline and so on.

Articles reach us as plain text, a paragraph a line. What a line is decides how it is read: an ALL-CAPS line must be
truecased, a caption names its photographer, a byline names people who are no part of the story.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise


class Zone(StrEnum):
    """What part of a news article a block is."""

    HEADLINE = "headline"
    DECK = "deck"
    BODY = "body"
    RELATED_LINK = "related_link"
    CAPTION = "caption"
    BYLINE = "byline"
    DATELINE = "dateline"


SPOKEN_ZONES = frozenset({Zone.HEADLINE, Zone.DECK, Zone.BODY})
"""Captions, bylines and links to other articles are not this article's speech."""


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, or the dateline that opens one: `text[start:end]`, without the white space around it."""

    start: int
    end: int
    zone: Zone


@dataclass(frozen=True, slots=True)
class Document:
    """An article's text and its blocks, in order and without overlap; only white space lies between them."""

    text: str
    blocks: tuple[Block, ...]

    @property
    def spoken(self) -> list[Block]:
        """The blocks that are this article's speech, in order."""
        return [block for block in self.blocks if block.zone in SPOKEN_ZONES]

    def zone_at(self, offset: int) -> Zone:
        """Return the zone of the block at `offset`; between blocks that of the one before, BODY when there is none."""
        index = bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        return self.blocks[index].zone if index >= 0 else Zone.BODY


HEADLINE_LENGTH = 250
"""Longest headline or deck, in code points: what fits is rarely longer, and what is longer is a paragraph."""

NOTE_LENGTH = 400
"""Longest byline or author note, in code points."""

LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
Offsets = tuple[int, int]
"""Where a stretch of the text begins, and where the one after it does."""

WORD = re.compile(r"[^\W\d_][\w'’.-]*")
SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*$")

AGENCY = (
    r"(?:REUTERS|Reuters|AFP|AP|EPA|UPI|PA|ANSA|dpa|DPA|TASS|Xinhua|Bloomberg|Getty(?:\s+Images)?|Shutterstock|Alamy"
    r"|Associated\s+Press|AP\s+Photo|CNP|POOL|Pool)"
)

CREDIT = re.compile(
    rf"""
      [(\[] [^()\[\]]{{0,120}} \b{AGENCY}\b [^()\[\]]{{0,60}} [)\]] \W* $   # (Kevin Dietsch/Getty Images)
    | [(\[] \s* (?:Photo|Image|Picture|Credit|File)\b [^()\[\]]{{0,120}} [)\]] \W* $  # (Photo by A. Writer)
    | \b(?:REUTERS|AP\ Photo|AFP|EPA|Getty\ Images)\s?/\s?\w                 # REUTERS/Kevin Lamarque
    | \b(?:Image|Photo|Photograph|Picture|Credit)\s?:\s?\w [^.]{{0,80}} \.?$  # Image: United States Navy.
    """,
    re.VERBOSE,
)
"""Photo credits, which only captions carry."""

SHOW = re.compile(r"\bon [\"'“‘][^\"'“”‘’]{2,40}[\"'”’]$")
"""The end of a video's caption: ‘… discusses the talks on ‘The Story.’’"""

BYLINE = re.compile(
    r"""
      ^ (?:By|BY) \s+ [A-Z][\w.'’-]+ (?: [ ,]+ (?:and\ |for\ )? [A-Z][\w.'’-]* ){1,12} \W* $  # By Jane Roe and John Doe
    | ^ \W{0,2} (?:Additional\ |Writing\ )? (?:[Rr]eporting|[Ee]diting|[Ww]riting) \s by \s  # (Reporting by …)
    | ^ [A-Z][\w.'’-]+ (?: \s [A-Z][\w.'’-]* ){1,3} \s is \s (?:a|an|the) \s   # Ashley Carnahan is a writer at …
      (?: [\w-]+ \s ){0,4}
      (?:writer|reporter|journalist|correspondent|editor|columnist|contributor|producer|fellow|professor|author) \b
      [^.]{0,160} \.? $
    | \b contributed \s to \s this \s (?:report|story|article) \b
    | ^ (?:Follow|Contact|Email) \s [A-Z@]
    """,
    re.VERBOSE,
)
"""Bylines and notes on authors. The third form only counts after the body has begun, where it ends an article."""

DATELINE = re.compile(
    r"""
    ^ (?P<line>
        (?P<place> [A-Z][A-Z.'’-]+ (?: [ ] [A-Z][A-Z.'’-]+ ){0,3} (?: , \s [A-Z][\w.]+ (?: [ ] [A-Z][\w.]+ )? )?
          | [A-Z][\w.'’-]+ (?: [ ] [A-Z][\w.'’-]+ ){0,2}
            (?= [ ,] [^()]{0,30} \( (?:Reuters|AP|AFP|UPI|Xinhua|TASS) \) ) )
        (?: , \s [A-Z][a-z]+\.? \s \d{1,2} (?: , \s \d{4} )? )?
        \s? (?: \( [A-Z][\w ./]{1,25} \) )? \s? (?: — | – | -- | - | : (?=\s) )
    ) \s*
    """,
    re.VERBOSE,
)
"""The dateline that opens a story: place, perhaps date, agency, dash. “WASHINGTON (Reuters) - ”"""

DATE_LINE = re.compile(
    r"^(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?(?:\d{1,2}\s+)?(?:January|February|March|April|May|June|July"
    r"|August|September|October|November|December)\s+(?:\d{1,2},?\s+)?\d{4}$"
)
"""A line that holds nothing but the day of publication, as Wikinews and many archives print it."""


def parse(text: str, title: str | None = None) -> Document:
    """Return the document of `text`. `title`, when given, tells the headline; otherwise its form does."""
    lines = list(_paragraphs(text))
    blocks: list[Block] = []
    opening = True
    for index, (start, end) in enumerate(lines):
        line = text[start:end]
        zone = _zone(line, opening=opening, first=index == 0, alone=len(lines) == 1, title=title)
        if zone is Zone.BODY:
            opening = False
            dateline = DATELINE.match(line)
            if dateline and dateline.end() < len(line):
                blocks.append(Block(start, start + dateline.end("line"), Zone.DATELINE))
                blocks.append(Block(start + dateline.end(), end, zone))
                continue
        blocks.append(Block(start, end, zone))
    return Document(text, tuple(blocks))


def is_capitals(line: str) -> bool:
    """Return whether `line` is set in capitals: three words or more, nearly all upper case ("PUTIN'S A LITTLE …")."""
    words = [word for word in WORD.findall(line[:HEADLINE_LENGTH]) if len(word) > 1]
    # One word in eight may be lower case: an "and", a "vs.", a possessive "s".
    return len(words) >= 3 and sum(word.upper() == word for word in words) * 8 >= len(words) * 7


def is_headline_case(line: str) -> bool:
    """Return whether most longer words of `line` begin with a capital ("Trump Wants Members To Increase Spending")."""
    words = [word for word in WORD.findall(line[:HEADLINE_LENGTH]) if len(word) > 3]
    return len(words) >= 3 and sum(word[0].isupper() for word in words) * 4 >= len(words) * 3


def _zone(line: str, *, opening: bool, first: bool, alone: bool, title: str | None) -> Zone:  # noqa: PLR0911  # a list
    """Return what `line` is. `opening`: no body paragraph came before it."""
    ended = bool(SENTENCE_END.search(line))
    short = len(line) <= HEADLINE_LENGTH
    if title is not None and opening and line.strip() == title.strip():
        return Zone.HEADLINE
    if CREDIT.search(line):
        return Zone.CAPTION
    if first and not alone and short and (not ended or is_headline_case(line)):
        return Zone.HEADLINE
    if DATE_LINE.match(line):
        return Zone.DATELINE
    if is_capitals(line):
        return Zone.RELATED_LINK
    if opening and SHOW.search(line):
        return Zone.CAPTION
    if not alone and len(line) <= NOTE_LENGTH and BYLINE.search(line) and not (opening and " is a" in line):
        return Zone.BYLINE
    if opening and not alone and short and not ended:
        return Zone.DECK
    return Zone.BODY


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every paragraph of `text`: of each line, or, in hard-wrapped text, between blank lines."""
    lines = []
    for match in LINE.finditer(text):
        line = match.group()
        stripped = line.strip()
        if stripped:
            start = match.start() + len(line) - len(line.lstrip())
            lines.append((start, start + len(stripped)))
    if not _is_wrapped(text, lines):
        yield from lines
        return
    begin, last = lines[0]
    for start, end in lines[1:]:
        if text.count("\n", last, start) > 1:
            yield begin, last
            begin = start
        last = end
    yield begin, last


def _is_wrapped(text: str, lines: list[tuple[int, int]]) -> bool:
    """Return whether lines are broken at a fixed width: most end inside a sentence, none is long, and the next goes
    on."""
    if len(lines) < 4:
        return False
    widths = [end - start for start, end in lines]
    going_on = sum(
        text[after].islower() and not SENTENCE_END.search(text[max(start, end - 3) : end])
        for (start, end), (after, _) in pairwise(lines)
    )
    return max(widths) <= 100 and going_on * 3 >= len(lines)
