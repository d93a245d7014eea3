"""The shipped weights: what they read of an article does not depend on what is read beside it."""

import hashlib
from pathlib import Path

import pytest

from schemas import RawArticle
from services.extraction import document
from services.extraction.pipeline import Pipeline
from services.extraction.reader.network import SHIPPED, Network, Task
from services.extraction.reader.words import Words

ARTICLE = (
    "Anna Keller, the mayor of Oslo, said on Monday that the old bridge would stay open.\n\n"
    "“We tested it twice,” she told reporters. “It is safe.”\n\n"
    "Labour wants parliament to raise the fuel tax, and Paul Meyer opposes the plan."
)
LONG = "\n\n".join(["The council met again, according to two engineers, and rejected the budget."] * 60)


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def test_the_data_card_names_the_shipped_file() -> None:
    card = (Path(__file__).parents[3] / "training/README.md").read_text(encoding="utf-8")
    assert hashlib.sha256(SHIPPED.read_bytes()).hexdigest() in card
    assert SHIPPED.stat().st_size <= 25_000_000


def test_finds_cues_of_both_tasks(network: Network) -> None:
    words = Words.of(document.parse(ARTICLE), [], network.wordpieces)
    cues = {
        (each.task, words.text[slice(*words.spans[each.window.words[each.at]])])
        for each in network.read(words)
        if each.probability > 0.5
    }
    assert {(Task.QUOTE, "said"), (Task.QUOTE, "told"), (Task.POSITION, "wants"), (Task.POSITION, "opposes")} <= cues


def test_nothing_to_read_is_no_fault(network: Network) -> None:
    assert list(network.read(Words.of(document.parse(""), [], network.wordpieces))) == []


def test_an_article_reads_the_same_alone_and_in_company(pipeline: Pipeline) -> None:
    article, other = RawArticle(article_id="a", body=ARTICLE), RawArticle(article_id="b", body=LONG)
    (alone,) = pipeline.read([article])
    assert alone.quotes
    assert alone.positions
    for company in ([article, other], [other, article], [article] * 3):
        readings = [each for each in pipeline.read(company) if each.article_id == "a"]
        assert all(each == alone for each in readings)
