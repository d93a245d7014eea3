"""Readings in words: one line an entity, a quote or a position, and the whole of an article."""

from rich.padding import Padding
from rich.text import Text

from schemas import EnrichedArticle, Entity, Position, PositionStatus, Quote, QuoteKind, Stance
from services.cli.console import one_line, out, show

_STANCES = {
    Stance.SUPPORT: ("supports", "green"),
    Stance.OPPOSE: ("opposes", "red"),
    Stance.NEUTRAL: ("is undecided on", "yellow"),
}
_TITLE_LENGTH = 100
_MARKS = "\"“”„«»‘’'"


def entity(item: Entity) -> Text:
    """Return an entity as one line: type, name, titles, and how often it is mentioned."""
    name, times = one_line(item.name), f" ×{len(item.mentions)}"
    titles = f" ({one_line('; '.join(item.titles))})" if item.titles else ""
    return Text.assemble((f"{item.type:<12}", "cyan"), (name, "bold"), titles, (times, "dim"))


def quote(item: Quote) -> Text:
    """Return a quote as one line: speaker, cue, words, kind."""
    # The cue that splits a quote is no part of what was said.
    pieces = [item.text[start - item.start : end - item.start] for start, end in item.fragments]
    if item.kind is QuoteKind.DIRECT:
        pieces = [f"“{piece.strip(_MARKS)}”" for piece in pieces]
    words = one_line(" … ".join(pieces))
    speaker = item.speaker_name or (item.speaker.text if item.speaker else "somebody unnamed")
    cue = f" {one_line(item.cue.text)}" if item.cue else ""
    return Text.assemble((one_line(speaker), "bold"), (cue, "dim"), ": ", words, (f" ({item.kind})", "dim"))


def position(item: Position) -> Text:
    """Return a position as one line: holder, stance, target, modality and through whom it is stated."""
    verb, colour = _STANCES[item.stance]
    holder = item.holder_name or (item.holder.text if item.holder else "somebody unnamed")
    target = one_line(item.target.text) + (f" [{one_line(item.target_name)}]" if item.target_name else "")
    conditions = [str(item.modality), str(item.via)]
    conditions += [
        word
        for word, holds in (
            ("former", item.status == PositionStatus.SUPERSEDED),
            ("a reproach", item.contested),
            ("conditional", item.conditional),
        )
        if holds
    ]
    if item.kind != "policy":
        conditions.append(f"{item.kind}: no policy")
    details = ", ".join(conditions).replace("_", " ")
    return Text.assemble((one_line(holder), "bold"), " ", (verb, colour), f": {target}", (f" ({details})", "dim"))


def count(number: int, one: str, many: str) -> str:
    """Return a number with what it counts."""
    return f"{number} {one if number == 1 else many}"


def summary(article: EnrichedArticle) -> Text:
    """Return the reading of an article as one line: how much of each kind was found."""
    counts = (
        count(len(article.entities), "entity", "entities"),
        count(len(article.quotes), "quote", "quotes"),
        count(len(article.positions), "position", "positions"),
    )
    found = article.provenance.skipped or ", ".join(counts)
    return _heading(article) + Text(f" {found}")


def show_article(article: EnrichedArticle) -> None:
    """Print the whole reading of an article."""
    show(_heading(article))
    if article.provenance.skipped:
        show(f"not read: {article.provenance.skipped}")
        return
    _section("Entities", [entity(item) for item in sorted(article.entities, key=lambda item: -item.salience)])
    _section("Quotes", [quote(item) for item in article.quotes])
    lines = []
    for item in article.positions:
        lines += [position(item), Text(f"  evidence: {one_line(item.evidence.text)}", style="italic")]
    _section("Positions", lines)


def _heading(article: EnrichedArticle) -> Text:
    """Return the line that names an article: by its title, or else by the line that it begins with."""
    title = article.title or (article.text or "").strip().partition("\n")[0][:_TITLE_LENGTH]
    later = f", revision {article.revision}" if article.revision else ""
    name = f"{one_line(title)} " if title else ""
    return Text.assemble((name, "bold underline"), (f"[{one_line(article.article_id)}{later}]", "dim"))


def _section(name: str, lines: list[Text]) -> None:
    show()
    show(Text(f"{name}: {'' if lines else 'none'}".rstrip(" "), style="bold"))
    for line in lines:
        if out.is_terminal:
            # A long line goes on below its own beginning.
            out.print(Padding(line, (0, 0, 0, 2)))
        else:
            show(Text("  ") + line)
