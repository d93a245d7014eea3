from hypothesis import given
from hypothesis import strategies as st

from schemas import item_id

FIELDS = st.lists(st.one_of(st.text(), st.integers(), st.none()), max_size=4)


def test_an_id_never_changes() -> None:
    # Written down from the first release: consumers hold these ids in their databases.
    assert item_id("a1", 0, "quote", 10, 25) == "462fca96-f713-599d-ab4d-b7aa00db4c48"


@given(FIELDS, FIELDS)
def test_different_fields_give_different_ids(one: list[object], other: list[object]) -> None:
    same = [(type(x), x) for x in one] == [(type(x), x) for x in other]
    assert (item_id("a", 0, "quote", *one) == item_id("a", 0, "quote", *other)) == same  # type: ignore[arg-type]


def test_article_revision_and_kind_are_part_of_it() -> None:
    ids = {item_id("a", 0, "quote", 1), item_id("a", 1, "quote", 1), item_id("b", 0, "quote", 1)}
    assert len(ids | {item_id("a", 0, "entity", 1)}) == 4
