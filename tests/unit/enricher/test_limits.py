import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import RawArticle, Reason
from services.enricher.limits import RefusedError, check_article, check_bytes, too_deep
from services.enricher.settings import Settings

SETTINGS = Settings(
    max_message_bytes=1000, max_json_depth=4, max_text_length=50, max_title_length=10, max_extra_fields=2
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}"\\ab', max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[{"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=20,
)


def depth(value: object) -> int:
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)
    return 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, Reason.EMPTY),
        (b"", Reason.EMPTY),
        (b"x" * 1001, Reason.MESSAGE_TOO_LARGE),
        (b"[" * 5, Reason.TOO_DEEP),
        (b'{"a":' * 5 + b"1" + b"}" * 5, Reason.TOO_DEEP),
        (b'"[[[[["' + b"[" * 5, Reason.TOO_DEEP),
    ],
)
def test_bytes_beyond_a_limit_are_refused(value: bytes | None, reason: Reason) -> None:
    with pytest.raises(RefusedError) as refused:
        check_bytes(value, SETTINGS)
    assert refused.value.reason is reason


@pytest.mark.parametrize("value", [b"[" * 4, b"[]" * 100, rb'"[[[[\"[[[["', b"[[[[]]]]" * 3, b"x" * 1000])
def test_bytes_within_the_limits_pass(value: bytes) -> None:
    assert check_bytes(value, SETTINGS) == value


@given(JSON, st.integers(min_value=0, max_value=4))
def test_depth_is_that_of_the_parsed_value(value: object, deepest: int) -> None:
    assert too_deep(json.dumps(value).encode(), deepest) == (depth(value) > deepest)


@given(st.binary())
def test_any_bytes_have_an_answer(value: bytes) -> None:
    assert isinstance(too_deep(value, 0), bool)


@pytest.mark.parametrize(
    "value",
    [b"[" * 1_000_000, b'"' * 1_000_000, b'["' + b"\\" * 1_000_000, b'[["' * 300_000, b'{"a":' * 200_000],
    ids=["brackets", "quotes", "backslashes", "open strings", "objects"],
)
def test_hostile_bytes_take_one_pass(value: bytes) -> None:
    assert isinstance(too_deep(value, 32), bool)  # quadratic work on a megabyte would run into the test's time limit


@pytest.mark.parametrize(
    ("fields", "reason", "message"),
    [
        ({"title": "t" * 11}, Reason.TITLE_TOO_LONG, "title: 11 characters, more than 10"),
        ({"body": "b" * 51}, Reason.TEXT_TOO_LONG, "text: 51 characters, more than 50"),
        ({"body": "b" * 45, "title": "t" * 4}, Reason.TEXT_TOO_LONG, "text: 51 characters, more than 50"),
        ({"x": 1, "y": 2, "z": 3}, Reason.TOO_MANY_FIELDS, "3 fields beside those of the contract, more than 2"),
    ],
)
def test_articles_beyond_a_limit_are_refused(fields: dict[str, object], reason: Reason, message: str) -> None:
    article = RawArticle.model_validate({"article_id": "a", "body": "b"} | fields)
    with pytest.raises(RefusedError) as refused:
        check_article(article, SETTINGS)
    assert (refused.value.reason, refused.value.message) == (reason, message)


def test_an_article_at_every_limit_passes() -> None:
    article = RawArticle.model_validate({"article_id": "a", "body": "b" * 38, "title": "t" * 10, "x": 1, "y": 2})
    check_article(article, SETTINGS)
    assert len(article.text) == SETTINGS.max_text_length
