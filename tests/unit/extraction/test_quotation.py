import pytest

from services.extraction.quotation import Passage, passages


def marked(text: str) -> list[str]:
    """Return the words that the marks of `text` enclose, a paragraph a line."""
    return [text[passage.start : passage.end] for passage in found(text)]


def found(text: str) -> list[Passage]:
    paragraphs, start = [], 0
    for line in text.split("\n"):
        paragraphs.append((start, start + len(line)))
        start += len(line) + 1
    return passages(text, [(begin, end) for begin, end in paragraphs if begin < end])


class TestPairs:
    def test_curly_marks(self) -> None:
        assert marked("“One,” he said, “two.”") == ["“One,”", "“two.”"]

    def test_straight_marks_take_turns(self) -> None:
        assert marked('"One," he said, "two."') == ['"One,"', '"two."']

    def test_straight_marks_with_stray_spaces(self) -> None:
        assert marked('" One " he said " two "') == ['" One "', '" two "']

    def test_typewriter_and_tex_marks(self) -> None:
        assert marked("''One,'' he said. ``Two.''") == ["''One,''", "``Two.''"]

    def test_guillemets_both_ways_and_german_marks(self) -> None:
        assert marked("«Un», »zwei«, „drei“") == ["«Un»", "»zwei«", "„drei“"]

    def test_a_curly_mark_closes_a_straight_one(self) -> None:
        assert marked('"One,” he said.') == ['"One,”']

    def test_marks_inside_belong_to_the_outer_passage(self) -> None:
        assert marked("\"He said 'no' twice,\" she said") == ["\"He said 'no' twice,\""]
        assert marked("'He said \"no\" twice,' she said") == ["'He said \"no\" twice,'"]


class TestApostrophes:
    def test_close_nothing(self) -> None:
        assert marked("‘The farmers’ union won’t sign,’ she said") == ["‘The farmers’ union won’t sign,’"]

    def test_open_nothing(self) -> None:
        assert marked("The workers' halls of the '80s, rock 'n' roll and 'em all") == []

    def test_possessive_before_a_single_quote(self) -> None:
        assert marked("It's Europe's 'last chance' now") == ["'last chance'"]


class TestUnbalanced:
    def test_a_passage_without_end_ends_with_its_paragraph(self) -> None:
        (passage,) = found("He said: “It began.\nThe weather was mild.")
        assert (passage.end, passage.closed) == (len("He said: “It began."), False)

    def test_a_new_opening_mark_drops_the_lost_one(self) -> None:
        assert marked('"Lost here. Then "found," he said.') == ['"found,"']

    def test_inches_are_no_marks(self) -> None:
        assert marked('It is 5\'10" tall and "fits," he said') == ['"fits,"']

    def test_a_lost_mark_leaves_the_next_paragraph_alone(self) -> None:
        assert marked('He "began.\n\n"One," she said, "two."')[-1] == '"two."'

    def test_a_lost_paragraph_break_inside(self) -> None:
        assert marked("“Is it one?“It is two.”") == ["“Is it one?“It is two.”"]


class TestParagraphs:
    def test_a_passage_goes_on_where_the_next_paragraph_opens_with_a_mark(self) -> None:
        text = "He said: “One.\n\n“Two.\n\n“Three.” Then he left."
        assert marked(text) == ["“One.\n\n“Two.\n\n“Three.”"]

    def test_and_not_where_it_does_not(self) -> None:
        assert marked("He said: “One.\n\nTwo “three.”") == ["“One.", "“three.”"]

    @pytest.mark.parametrize("text", ["He said: “One.\n\nTwo.” Then he left.", 'He said: "One.\n\nTwo." Then he left.'])
    def test_and_where_the_next_one_closes_what_it_did_not_open(self, text: str) -> None:
        assert marked(text) == [text[9:21]]

    @pytest.mark.parametrize(
        "text",
        ['He said: "One.\n\nA beam of 12" fell.', 'He said: "One.\n\nTwo "three" four.', "He said: “One.\n\nTwo."],
    )
    def test_and_not_where_what_follows_may_be_inches_or_a_pair_of_its_own(self, text: str) -> None:
        assert marked(text)[0].rstrip() in ("“One.", '"One.')


def test_values_of_markup_are_no_passages() -> None:
    assert marked('<a href="page" id="7">He said "yes" twice</a>') == ['"yes"']


def test_the_inner_words_leave_the_marks_out() -> None:
    text = "“One, two.”"
    (passage,) = found(text)
    start, end = passage.inner(text)
    assert text[start:end] == "One, two."
