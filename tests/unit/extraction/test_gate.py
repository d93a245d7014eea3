"""What words say of a stand."""

from services.extraction import gate

TEXT = "The senator vetoed the tax bill. He praised the dinner."
VETO, SENATOR, BILL = (12, 18), (0, 11), (19, 31)
PRAISE, HE, DINNER = (36, 43), (33, 35), (44, 54)


def test_words_are_told_apart_by_the_part_of_the_stand_that_they_are_in() -> None:
    assert list(gate.words(TEXT, VETO, SENATOR, BILL)) == [
        "cue vetoed",
        "holder the",
        "holder senator",
        "target the",
        "target tax",
        "target bill",
    ]
    assert list(gate.words(TEXT, VETO, None, (23, 26))) == ["cue vetoed", "target tax"]


def test_policies_speak_for_a_position_more_than_other_things_do() -> None:
    assert gate.score(TEXT, VETO, SENATOR, BILL) > gate.score(TEXT, PRAISE, HE, DINNER)


def test_words_that_were_never_seen_say_nothing_and_none_counts_twice() -> None:
    assert gate.score("qwxz qwxz", (0, 4), None, (5, 9)) == 0
    once, twice = "praised tax", "praised tax tax"
    assert gate.score(once, (0, 7), None, (8, 11)) == gate.score(twice, (0, 7), None, (8, 15))
