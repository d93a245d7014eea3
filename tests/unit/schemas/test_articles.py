import pytest
from pydantic import ValidationError

from schemas import RawArticle, Span


def raw(**fields: object) -> RawArticle:
    return RawArticle.model_validate({"article_id": "a1", "body": "Body.", **fields})


def test_two_fields_are_enough() -> None:
    article = raw()
    assert (article.language, article.revision, article.title, article.authors) == ("en", 0, None, [])


@pytest.mark.parametrize("missing", ["article_id", "body"])
def test_a_missing_required_field_is_named(missing: str) -> None:
    fields = {"article_id": "a1", "body": "Body."}
    del fields[missing]
    with pytest.raises(ValidationError, match=missing):
        RawArticle.model_validate(fields)


def test_unknown_fields_are_kept() -> None:
    assert raw(desk="foreign", extra={"a": 1}).model_extra == {"desk": "foreign", "extra": {"a": 1}}


@pytest.mark.parametrize(
    ("title", "text"),
    [
        (None, "Body."),
        ("", "Body."),
        ("Headline", "Headline\n\nBody."),
        ("Body", "Body."),  # the body begins with its own headline: it is not said twice
    ],
)
def test_text_is_the_body_after_a_title_it_lacks(title: str | None, text: str) -> None:
    assert raw(title=title).text == text


def test_a_time_without_zone_is_utc() -> None:
    published = raw(published_at="2026-03-01T08:00:00").published_at
    assert published is not None
    assert published.isoformat() == "2026-03-01T08:00:00+00:00"


@pytest.mark.parametrize("language", ["english language", "", "e", "en_GB"])
def test_a_language_is_a_bcp47_tag(language: str) -> None:
    with pytest.raises(ValidationError, match="language"):
        raw(language=language)


def test_a_span_is_as_long_as_its_text() -> None:
    assert Span.of("Ælfric spoke", 0, 6) == Span(text="Ælfric", start=0, end=6)
    with pytest.raises(ValidationError, match="length of text"):
        Span(text="Ælfric", start=0, end=5)
