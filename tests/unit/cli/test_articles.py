"""What files are taken for, and what becomes of them."""

import io
import json
import sys
from pathlib import Path

import pytest

from services.cli.articles import STDIN, Broken, Message, messages, one_article
from services.cli.console import UserError

ARTICLE = {"article_id": "a-1", "body": "He said “no”.", "desk": "politics"}


def found(path: Path, content: bytes, *, raw: bool = False) -> list[Message | Broken]:
    path.write_bytes(content)
    return list(messages(path, raw=raw))


def test_a_text_is_one_article_named_after_its_file(tmp_path: Path) -> None:
    [message] = found(tmp_path / "story.txt", "First line\r\n\r\n“Curly,” he said.\n".encode())
    assert isinstance(message, Message)
    assert message.key == "story"
    assert json.loads(message.value) == {"article_id": "story", "body": "First line\r\n\r\n“Curly,” he said.\n"}


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "story.txt").write_bytes(b"\xef\xbb\xbfText")
    assert one_article(tmp_path / "story.txt").body == "Text"


def test_json_goes_on_as_it_was_written(tmp_path: Path) -> None:
    written = json.dumps(ARTICLE, indent=2).encode()
    assert found(tmp_path / "a.json", written) == [Message(str(tmp_path / "a.json"), "a-1", written)]


@pytest.mark.parametrize("name", ["many.jsonl", "many.ndjson", "many", "many.json"])
def test_json_lines_are_an_article_a_line_and_broken_ones_are_named(tmp_path: Path, name: str) -> None:
    lines = [json.dumps(ARTICLE | {"article_id": str(number)}).encode() for number in range(3)]
    results = found(tmp_path / name, b"\n".join([lines[0], b"", b'{"article_id": "x"}', lines[1], b"{", lines[2]]))
    assert [result.key for result in results if isinstance(result, Message)] == ["0", "1", "2"]
    assert [result.value for result in results if isinstance(result, Message)] == lines
    broken = [result for result in results if isinstance(result, Broken)]
    assert [result.origin for result in broken] == [f"{tmp_path / name}:3", f"{tmp_path / name}:5"]
    assert broken[0].reason == "body: Field required"
    assert broken[1].reason.startswith("Invalid JSON")


def test_json_lines_are_read_one_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "many.jsonl").write_bytes(b"\n".join([json.dumps(ARTICLE).encode()] * 3) + b"\n\xff\n")
    stream = messages(tmp_path / "many.jsonl")
    assert isinstance(next(stream), Message)
    assert [type(result) for result in stream] == [Message, Message, Broken]


def test_with_raw_bytes_are_sent_whatever_they_are(tmp_path: Path) -> None:
    assert found(tmp_path / "a.json", b'{"cut off', raw=True) == [Message(str(tmp_path / "a.json"), "a", b'{"cut off')]
    assert [message.value for message in found(tmp_path / "b.jsonl", b"\xff\x00\n{}\n", raw=True)
            if isinstance(message, Message)] == [b"\xff\x00", b"{}"]  # fmt: skip


def test_stdin_is_told_by_how_it_begins_and_named_by_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    def given(content: bytes) -> list[Message | Broken]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return list(messages(STDIN))

    [text] = given(b"Some words.")
    assert isinstance(text, Message)
    assert text.key.startswith("sha256-")
    assert [text] == given(b"Some words.")
    assert text.key != given(b"Other words.")[0].key  # type: ignore[union-attr]
    assert [item.key for item in given(json.dumps(ARTICLE, indent=2).encode()) if isinstance(item, Message)] == ["a-1"]
    assert len(given(b"\n".join([json.dumps(ARTICLE).encode()] * 2))) == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"caf\xe9", "not UTF-8 text (byte 3)"),
        ("a.txt", b" \n", "is empty"),
        ("a.json", b"[]", "Input should be an object"),
        ("a.json", b'{"article_id": "", "body": "x"}', "article_id: String should have at least 1 character"),
        ("a.json", b"[" * 100_000, "Invalid JSON"),
        ("a.html", b"<html><body></body></html>", "no article found in the page"),
    ],
)
def test_what_is_no_article_says_why(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    [broken] = found(tmp_path / name, content)
    assert isinstance(broken, Broken)
    assert broken.reason.startswith(reason)
    with pytest.raises(UserError, match=name):
        one_article(tmp_path / name)


def test_one_article_of_many_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "many").write_bytes(b"\n".join([json.dumps(ARTICLE).encode()] * 2))
    with pytest.raises(UserError, match="--jsonl"):
        one_article(tmp_path / "many")


def test_the_article_is_found_in_a_saved_web_page(tmp_path: Path) -> None:
    paragraphs = "".join(
        f"<p>Paragraph {number}: the council of Westhaven met on Thursday, and the mayor said that the bridge would be "
        "built before the winter comes.</p>" for number in range(5)
    )  # fmt: skip
    page = f"""<!DOCTYPE html><html lang="en"><head><title>Bridge</title>
        <meta property="og:title" content="A bridge at last"><meta property="og:site_name" content="The Gazette">
        <meta property="article:published_time" content="2026-03-01"></head>
        <body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><main><article><h1>A bridge at last</h1>
        {paragraphs}</article></main><footer>All rights reserved</footer></body></html>"""
    (tmp_path / "bridge.html").write_text(page, encoding="utf-8")
    article = one_article(tmp_path / "bridge.html")
    assert (article.article_id, article.title, article.source) == ("bridge", "A bridge at last", "The Gazette")
    assert article.published_at is not None
    assert article.published_at.date().isoformat() == "2026-03-01"
    assert "Paragraph 4: the council" in article.body
    assert "Sport" not in article.body
    assert "rights reserved" not in article.body
