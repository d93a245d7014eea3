from services.extraction.fingerprints import quote_fingerprint, simhash

STORY = "The council of Oslo voted on Monday to close the old bridge for cyclists until the end of May. " * 3 + (
    "Anna Keller, who leads the council, said the repairs would cost twenty million crowns and take a year."
)


def differing_bits(one: str, other: str) -> int:
    return (int(simhash(one), 16) ^ int(simhash(other), 16)).bit_count()


class TestSimhash:
    def test_is_sixteen_hex_digits_that_never_change(self) -> None:
        assert simhash("The bridge will open in May.") == "da0b02c40809cc85"

    def test_near_duplicates_are_a_few_bits_apart(self) -> None:
        assert differing_bits(STORY, STORY.replace("twenty", "thirty")) <= 8

    def test_other_articles_are_far(self) -> None:
        assert (
            differing_bits(STORY, "Farmers in the north lost half of their harvest to the drought this summer. " * 4)
            > 16
        )

    def test_case_and_punctuation_do_not_count(self) -> None:
        assert differing_bits(STORY, STORY.upper().replace(",", " –")) == 0

    def test_a_text_without_words_is_zero(self) -> None:
        assert simhash("") == simhash(" …!\n") == "0" * 16

    def test_a_text_of_one_word_is_not(self) -> None:
        assert simhash("Bridge") != "0" * 16


class TestQuoteFingerprint:
    def test_marks_case_spacing_and_apostrophes_do_not_count(self) -> None:
        assert quote_fingerprint("“We don’t   know,”") == quote_fingerprint('"we don\'t know"')

    def test_words_do(self) -> None:
        assert quote_fingerprint("We know") != quote_fingerprint("We knew")

    def test_compatibility_forms_are_one(self) -> None:
        assert quote_fingerprint("the ﬁrst") == quote_fingerprint("the first")
