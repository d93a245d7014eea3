"""What the examples of tests/quality/quotes.yaml do not show: acts, zones, confidence, carrying over, ids."""

import pytest

from schemas import Act, Quote, RawArticle
from services.extraction.pipeline import Pipeline


def read(pipeline: Pipeline, body: str) -> list[Quote]:
    return pipeline.read([RawArticle(article_id="a", body=body)])[0].quotes


class TestActs:
    def test_saying(self, pipeline: Pipeline) -> None:
        assert [quote.act for quote in read(pipeline, "Anna Keller said the bridge was safe.")] == [Act.SAY]

    @pytest.mark.parametrize("cue", ["believes", "hopes", "thinks"])
    def test_thinking(self, pipeline: Pipeline, cue: str) -> None:
        assert [quote.act for quote in read(pipeline, f"Anna Keller {cue} the bridge is safe.")] == [Act.THINK]


class TestZones:
    def test_captions_are_not_speech(self, pipeline: Pipeline) -> None:
        body = (
            "The council met on Tuesday to vote on the bridge.\n\n"
            'Anna Keller says "it is safe" at the council. (Jo Roe/Getty Images)\n\n'
            "The vote was postponed."
        )
        assert read(pipeline, body) == []

    def test_links_to_other_articles_are_not_speech(self, pipeline: Pipeline) -> None:
        body = "The council met on Tuesday.\n\nBRIDGE IS ‘A DEATH TRAP,’ MAYOR SAYS\n\nThe vote was postponed."
        assert read(pipeline, body) == []

    def test_headlines_are(self, pipeline: Pipeline) -> None:
        body = "Keller: ‘The bridge is safe’\n\nThe council met on Tuesday. Anna Keller spoke for an hour."
        (quote,) = read(pipeline, body)
        assert (quote.text, quote.speaker_name) == ("‘The bridge is safe’", "Anna Keller")


class TestCarriedOver:
    BODY = '"It is safe," said Anna Keller.\n\n{between}"We tested every bolt of it twice."'

    def test_the_next_paragraph_goes_on_with_the_quote_before(self, pipeline: Pipeline) -> None:
        (quote,) = read(pipeline, self.BODY.format(between=""))
        assert quote.speaker_name == "Anna Keller"
        assert len(quote.fragments) == 2

    def test_not_from_further_back(self, pipeline: Pipeline) -> None:
        carried = read(pipeline, self.BODY.format(between="The council met on Tuesday.\n\nThe rain stopped.\n\n"))[-1]
        assert (carried.speaker, carried.speaker_name) == (None, None)


class TestSpeakers:
    def test_a_misspelt_surname_is_its_owners(self, pipeline: Pipeline) -> None:
        body = 'Anna Keller leads the council of Oslo.\n\nKeller said the bridge was safe.\n\n"It is," Kellor said.'
        assert read(pipeline, body)[-1].speaker_name == "Anna Keller"

    def test_who_is_the_noun_before(self, pipeline: Pipeline) -> None:
        (quote,) = read(pipeline, "The vote pleased Anna Keller, who said the bridge was safe.")
        assert (quote.speaker and quote.speaker.text, quote.speaker_name) == ("who", "Anna Keller")

    def test_the_unnamed_get_no_name(self, pipeline: Pipeline) -> None:
        (quote,) = read(pipeline, "Officials said the bridge was safe.")
        assert (quote.speaker and quote.speaker.text, quote.speaker_name, quote.speaker_id) == ("Officials", None, None)

    def test_whom_it_is_told_is_not_who_tells_it(self, pipeline: Pipeline) -> None:
        (quote,) = read(pipeline, 'Anna Keller told Paul Meyer, "It is safe."')
        assert quote.speaker_name == "Anna Keller"


class TestFragments:
    def test_reach_from_the_first_to_the_last(self, pipeline: Pipeline) -> None:
        body = '"It," she said, "is safe."'
        (quote,) = read(pipeline, body)
        assert (quote.text, quote.fragments) == (body, [(0, 5), (16, 26)])

    def test_have_one_fingerprint_whatever_stands_between(self, pipeline: Pipeline) -> None:
        split, whole = read(pipeline, '"It," she said, "is safe."\n\n"It is safe," he said.')
        assert split.fingerprint == whole.fingerprint


def test_a_quote_inside_a_quote_is_its_speakers_affair(pipeline: Pipeline) -> None:
    (quote,) = read(pipeline, '"My mother said the bridge would fall," Anna Keller recalled.')
    assert quote.speaker_name == "Anna Keller"


def test_a_title_of_a_programme_is_no_piece_of_a_quote(pipeline: Pipeline) -> None:
    body = (
        'The bridge was closed on Monday.\n\n"It is safe," Anna Keller said in an interview on "The Story" on Tuesday.'
    )
    (quote,) = read(pipeline, body)
    assert quote.text == '"It is safe,"'


def test_several_speakers_have_names_and_are_no_one_entity(pipeline: Pipeline) -> None:
    body = 'Ada Marsh and Thomas Bell spoke in Oslo.\n\n"The bridge must close," said Ada Marsh and Thomas Bell.'
    (quote,) = read(pipeline, body)
    assert (quote.speaker_name, quote.speaker_id) == ("Ada Marsh and Thomas Bell", None)
