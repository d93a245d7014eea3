"""An article as a web page of its own, with its entities, quotes and positions highlighted. Pure: text in, HTML out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from itertools import pairwise
from string import Template

from schemas import EnrichedArticle
from services.cli import report


@dataclass(frozen=True, slots=True)
class Highlight:
    """A stretch of the text that is marked: its CSS classes, and what is said of it under the pointer."""

    start: int
    end: int
    classes: str
    hint: str


def render(article: EnrichedArticle, text: str) -> str:
    """Return a self-contained HTML page of `article`, whose offsets count in `text`.

    Nothing is fetched from elsewhere, no script runs, and whatever comes from the article is escaped. The element
    `article` of the page holds the text, character for character.
    """
    template = Template((files("services.cli") / "page.html").read_text(encoding="utf-8"))
    facts = [article.article_id, article.source, article.published_at and f"{article.published_at:%d %B %Y}"]
    return template.substitute(
        language=_escaped(article.language),
        title=_escaped(article.title or article.article_id),
        facts=_escaped(" · ".join([fact for fact in [*facts, article.provenance.skipped] if fact])),
        text="".join(marked(text, list(highlights(article)))),
        quotes=_list(report.quote(quote).plain for quote in article.quotes),
        positions=_list(
            f"{report.position(position).plain}. Evidence: {position.evidence.text}" for position in article.positions
        ),
        entities=_list(report.entity(entity).plain for entity in article.entities),
    )


def highlights(article: EnrichedArticle) -> Iterator[Highlight]:
    """Yield every stretch of the text that the reading says something about; they nest and overlap freely."""
    for entity in article.entities:
        for mention in entity.mentions:
            yield Highlight(mention.start, mention.end, "entity", f"{entity.type}: {entity.name}")
    for quote in article.quotes:
        hint = f"Quote: {report.quote(quote).plain}"
        for start, end in quote.fragments:
            yield Highlight(start, end, f"quote {quote.kind}", hint)
        for span, role in ((quote.speaker, "speaker"), (quote.cue, "cue")):
            if span is not None:
                yield Highlight(span.start, span.end, role, hint)
    for position in article.positions:
        hint = f"Position: {report.position(position).plain}"
        yield Highlight(position.target.start, position.target.end, f"position {position.stance}", hint)


def marked(text: str, marks: Iterable[Highlight]) -> Iterator[str]:
    """Yield `text` escaped, cut wherever a highlight begins or ends, each piece with all that covers it."""
    opening: dict[int, list[Highlight]] = {}
    for mark in marks:
        opening.setdefault(mark.start, []).append(mark)
    cuts = sorted({0, len(text), *opening, *(mark.end for marks in opening.values() for mark in marks)})
    covering: list[Highlight] = []
    for start, end in pairwise(cuts):
        covering = [mark for mark in covering if mark.end > start] + opening.get(start, [])
        piece = _escaped(text[start:end])
        if covering:
            classes = " ".join(dict.fromkeys(mark.classes for mark in covering))
            hints = "\n".join(dict.fromkeys(mark.hint for mark in covering))
            piece = f'<span class="{classes}" title="{_escaped(hints)}">{piece}</span>'
        yield piece


def _list(lines: Iterable[str]) -> str:
    items = "\n".join(f"<li>{_escaped(line)}</li>" for line in lines)
    return f"<ul>\n{items}\n</ul>" if items else "<p>none</p>"


def _escaped(text: str) -> str:
    # A browser would read a bare carriage return as a line feed, and a stretch of text must stay as it is.
    return escape(text).replace("\r", "&#13;")
