"""How files become raw articles: plain text, JSON, JSON lines and saved web pages."""

import codecs
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from schemas import RawArticle
from schemas.articles import fault
from services.cli.console import UserError, one_line

STDIN = Path("-")
_LINES = {".jsonl", ".ndjson"}
_PAGES = {".html", ".htm", ".xhtml"}
_TEXTS = {".txt", ".text", ".md"}


@dataclass(frozen=True, slots=True)
class Message:
    """One article as it goes into Kafka; `origin` is where it was found (a file's name, and a line's number)."""

    origin: str
    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """What should have been an article, and why it is none."""

    origin: str
    reason: str


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file ("-" is stdin) for its bytes; raises UserError when it cannot be read."""
    try:
        if path == STDIN:
            yield sys.stdin.buffer
        else:
            with path.open("rb") as file:
                yield file
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def messages(path: Path, *, raw: bool = False) -> Iterator[Message | Broken]:
    """Yield the articles of a file ("-" is stdin) in their order; JSON lines are read one at a time.

    With `raw` the bytes of the file, or of each line of a JSON lines file, are yielded unread, whatever they are.
    Raises UserError when the file cannot be read.
    """
    with opened(path) as file:
        first = file.readline().removeprefix(codecs.BOM_UTF8)
        # Without a telling suffix, a first line that is a whole JSON object is the first of JSON lines.
        if path.suffix in _LINES or (not raw and path.suffix not in _PAGES | _TEXTS and _is_json_object(first)):
            for number, line in enumerate(chain([first], file), start=1):
                if content := line.strip():
                    yield _message(content, path, f"{_name(path)}:{number}", raw=raw)
        else:
            yield _message(first + file.read(), path, _name(path), raw=raw)


def one_article(path: Path) -> RawArticle:
    """Return the one article of a file ("-" is stdin); raises UserError when there is none, or more than one."""
    with opened(path) as file:
        data = file.read().removeprefix(codecs.BOM_UTF8)
    lines = [line for line in data.splitlines() if line.strip()] if path.suffix in _LINES else []
    if len(lines) > 1 or (_is_json_object(data.partition(b"\n")[0]) and not _is_json_object(data)):
        raise UserError(f"{_name(path)} holds more than one article; read it with --jsonl")
    return _article(data, path, _name(path))


def parse(value: bytes, origin: str) -> RawArticle:
    """Return the raw article that `value` is as JSON; raises UserError, naming `origin` and the field, otherwise."""
    try:
        return RawArticle.model_validate_json(value)
    except ValidationError as error:
        raise UserError(one_line(f"{origin}: {fault(error)}")) from None


def _message(data: bytes, path: Path, origin: str, *, raw: bool) -> Message | Broken:
    if raw:
        return Message(origin, _id(data, path), data)
    try:
        article = _article(data, path, origin)
    except UserError as error:
        return Broken(origin, str(error).removeprefix(f"{origin}: "))
    # JSON goes on as it was written, with all that its producer put into it.
    value = data if _is_json(data, path) else article.model_dump_json(exclude_defaults=True).encode()
    return Message(origin, article.article_id, value)


def _article(data: bytes, path: Path, origin: str) -> RawArticle:
    if _is_json(data, path):
        return parse(data, origin)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{origin}: not UTF-8 text (byte {error.start})") from None
    if not text.strip():
        raise UserError(f"{origin}: is empty")
    if path.suffix in _PAGES or text.lstrip()[:9].lower() in ("<!doctype", "<html>", "<html lan"):
        return _web_page(text, _id(data, path), origin)
    return RawArticle(article_id=_id(data, path), body=text)


def _web_page(html: str, article_id: str, origin: str) -> RawArticle:
    """Return the article of a saved web page, without what stands around it."""
    try:
        from trafilatura import bare_extraction
    except ImportError:
        raise UserError("saved web pages need the optional group html: pip install 'onrecord[html]'") from None
    page: Any = bare_extraction(html, with_metadata=True, include_comments=False, include_tables=False)
    if page is None or not page.text:
        raise UserError(f"{origin}: no article found in the page")
    fields = {
        "title": page.title,
        "url": page.url,
        "source": page.sitename,
        "published_at": page.date,
        "authors": [name.strip() for name in (page.author or "").split(";") if name.strip()],
    }
    value = {"article_id": article_id, "body": page.text} | {name: field for name, field in fields.items() if field}
    return parse(json.dumps(value).encode(), origin)


def _is_json(data: bytes, path: Path) -> bool:
    """Whether `data` is meant to be JSON: by the file's suffix, or, where that says nothing, by how it begins."""
    if path.suffix == ".json" or path.suffix in _LINES:
        return True
    return path.suffix not in _PAGES | _TEXTS and data.lstrip()[:1] == b"{"


def _is_json_object(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def _id(data: bytes, path: Path) -> str:
    """Return an article's id: the file's name without its suffix, or for stdin the hash of the content."""
    return f"sha256-{hashlib.sha256(data).hexdigest()[:32]}" if path == STDIN else path.stem


def _name(path: Path) -> str:
    return "stdin" if path == STDIN else str(path)
