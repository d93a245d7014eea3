# ruff: noqa: T201  # prints are what this module is for
"""Count which attributions of polnear.dev are found, by class: `python -m tests.quality.measure_failures`.

Needs the folder `../shared` beside the project. One is found that an attribution of the reading overlaps by half of
both together or more, as the evaluation has it.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from services.extraction.pipeline import Pipeline
from tests.quality.measure_reader import GOLD, QUOTES, readings
from training.reader import gold

NO_NAMES = frozenset(
    {"a", "an", "the", "his", "her", "its", "their", "our", "my", "some", "many", "most", "one", "two"}
)
"""First words of a source that a capital makes no name."""


def classes(score: Any, text: str, quote: dict[str, Any]) -> Iterator[str]:
    """Yield the classes that an annotated attribution belongs to; its source is of one of the last four."""
    cue, source = quote.get("cue"), quote.get("speaker")
    yield str(quote["type"])
    if len(quote.get("fragments") or ()) > 1:
        yield "in several pieces"
    if "\n" not in text[: quote["end"]].lstrip():
        yield "first line: headlines"
    if cue and not any(character.isalpha() for character in cue["text"]):
        yield "colon, dash or another mark as cue"
    elif cue and not score.is_speech(quote):
        yield "cue is no verb of saying"
    if not source:
        yield "no source at all in the annotation"
    elif source["text"].lower() in score.PRON:
        yield "pronoun sources"
    elif any(word[:1].isupper() for word in source["text"].split() if word.lower() not in NO_NAMES):
        yield "sources with a name"
    else:
        yield "common-noun sources"


def main() -> None:
    """Print the table, and what of the reading is annotated nowhere."""
    evaluate, score = gold.module(GOLD / "evaluate.py"), gold.module(GOLD / "quotes/score.py")
    articles = list(gold.load(GOLD / f"{QUOTES}.jsonl").values())
    read = {each["article_id"]: evaluate.quotes(each) for each in readings(Pipeline(), articles)}
    wanted, found, spoken, wrong = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for article in articles:
        text = article["text"]
        marks = score.qmask(text)
        true = score.units(article["quotes"], text, "quote", marks)
        ours = score.units([each | {"type": None} for each in read[article["doc_id"]]], text, "quote", marks)
        pairs = score.match(true, ours, 0.5)
        for number, unit in enumerate(true):
            names = ["all", *classes(score, text, unit["q"])]
            wanted.update(names)
            if number in pairs:
                found.update(names)
                if score.head_ok(unit["q"].get("speaker"), ours[pairs[number]]["q"].get("speaker")):
                    spoken.update(names)
        for number, unit in enumerate(ours):
            if number not in pairs.values():
                wrong["overlaps" if any(unit["cs"] & each["cs"] for each in true) else "stands alone"] += 1
    print("| class | found | with the right speaker |\n|---|---|---|")
    for name, count in wanted.most_common():
        print(f"| {name} | {found[name]:,} of {count:,} | {spoken[name]:,} |")
    print(f"published and wrong: {wrong.total()}, of which {wrong['overlaps']} overlap an annotated one")


if __name__ == "__main__":
    main()
