"""What the examples of tests/quality/positions.yaml do not show: conditions, openness, evidence, who states it."""

import pytest

from schemas import Position, RawArticle, Stance, Via
from services.extraction.pipeline import Pipeline


def read(pipeline: Pipeline, body: str) -> list[Position]:
    return pipeline.read([RawArticle(article_id="a", body=body)])[0].positions


def test_what_is_not_ruled_out_is_never_supported(pipeline: Pipeline) -> None:
    assert all(
        position.stance is Stance.NEUTRAL
        for position in read(pipeline, "Senator Ruth Adler did not reject the immigration bill.")
    )


def test_a_condition_is_marked(pipeline: Pipeline) -> None:
    body = "Republicans will support the immigration bill if the president signs the budget."
    stated = [
        position for position in read(pipeline, body) if position.holder and position.holder.text == "Republicans"
    ]
    assert stated
    assert all(position.conditional for position in stated)


class TestWhoStatesIt:
    def test_somebody_else(self, pipeline: Pipeline) -> None:
        body = "Paul Meyer said Republicans oppose the immigration bill."
        (position,) = read(pipeline, body)
        assert (position.via, position.holder and position.holder.text) == (Via.THIRD_PARTY, "Republicans")

    def test_the_holder_as_the_quotes_pronoun(self, pipeline: Pipeline) -> None:
        body = 'Senator Ruth Adler met voters in Denver.\n\n"I oppose the immigration bill," she said.'
        (position,) = read(pipeline, body)
        assert (position.via, position.holder_name) == (Via.DIRECT_QUOTE, "Ruth Adler")
        assert position.quote_id is not None

    def test_nobody_and_then_it_is_no_position(self, pipeline: Pipeline) -> None:
        assert read(pipeline, "Taxes should be cut.") == []


class TestEvidence:
    def test_is_the_sentence_without_the_space_around_it(self, pipeline: Pipeline) -> None:
        body = "It rained in Denver.\n\n  Senator Ruth Adler voted against the immigration bill.  \n\nThe sun came out."
        (position,) = read(pipeline, body)
        assert position.evidence.text == "Senator Ruth Adler voted against the immigration bill."

    def test_holds_cue_and_target(self, pipeline: Pipeline) -> None:
        (position,) = read(pipeline, "Senator Ruth Adler voted against the immigration bill.")
        assert position.cue is not None
        for span in (position.cue, position.target):
            assert position.evidence.start <= span.start < span.end <= position.evidence.end


@pytest.mark.parametrize("zone", ["(Senator Ruth Adler voted against the immigration bill. Jo Roe/Getty Images)"])
def test_captions_state_nothing(pipeline: Pipeline, zone: str) -> None:
    assert read(pipeline, f"The Senate met on Tuesday.\n\n{zone}\n\nThe vote was close.") == []


def test_confidence_is_at_least_the_threshold(pipeline: Pipeline) -> None:
    positions = read(
        pipeline, "Senator Ruth Adler voted against the immigration bill. Republicans oppose the tax cuts."
    )
    assert positions
    assert all(0.3 <= position.confidence <= 1.0 for position in positions)
