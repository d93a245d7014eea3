"""The gazetteer and its data files."""

import re

from schemas import EntityType
from services.extraction import gazetteer
from services.extraction.wordlists import rows


def test_finds_the_longest_name_at_each_place() -> None:
    text = "A New York Times, not New York, reports from South Korea."
    assert [text[start:end] for start, end, _ in gazetteer.find(text)] == ["New York Times", "New York", "South Korea"]


def test_names_inside_words_are_none() -> None:
    assert not list(gazetteer.find("Chinatown and Iranology"))


def test_countries_carry_their_code_and_people_their_place() -> None:
    netherlands, dutch = gazetteer.entry("Netherlands"), gazetteer.entry("Dutch")
    assert netherlands is not None
    assert netherlands.iso_3166 == "NL"
    assert dutch is not None
    assert (dutch.type, dutch.place) == (EntityType.NORP, "Netherlands")


def test_abbreviations_share_the_full_name() -> None:
    assert {entry.name for entry in map(gazetteer.entry, ["U.S.", "US", "USA", "America"]) if entry} == {
        "United States"
    }


def test_codes_are_two_capitals_and_wikidata_ids_are_unique() -> None:
    assert all(re.fullmatch("[A-Z]{2}", code) for code, *_ in rows("countries.tsv"))
    ids = [wikidata_id for *_, wikidata_id in rows("organisations.tsv") if wikidata_id]
    assert len(ids) > 60
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("Q[1-9][0-9]*", wikidata_id) for wikidata_id in ids)


def test_every_row_has_its_cells() -> None:
    widths = {"countries.tsv": 5, "places.tsv": 4, "organisations.tsv": 3, "things.tsv": 3, "currencies.tsv": 2}
    for name, width in widths.items():
        assert {len(row) for row in rows(name)} == {width}, name
