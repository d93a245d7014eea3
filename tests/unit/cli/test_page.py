"""The page of a highlighted article: well formed, self-contained, and true to the text."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from services.cli import page
from tests.unit.cli.readings import TEXT, reading

VOID = {"meta", "link", "br", "img", "input"}


class Page(HTMLParser):
    """Collects the text of the element `article` with the classes and hints over each piece of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.pieces: list[tuple[str, str, str]] = []
        self.over = ("", "")
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "span":
            self.over = (attributes.get("class") or "", attributes.get("title") or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.over = ("", "")

    def handle_data(self, data: str) -> None:
        if "article" in self.open:
            self.pieces.append((data, *self.over))

    @property
    def text(self) -> str:
        return "".join(data for data, _, _ in self.pieces)

    def classes(self, words: str) -> set[str]:
        """Return the classes over `words`, which one piece must hold."""
        [(_, classes, _)] = [piece for piece in self.pieces if piece[0] == words]
        return set(classes.split())


def test_the_text_is_kept_character_for_character() -> None:
    assert Page(page.render(reading(), TEXT)).text == TEXT


def test_highlights_that_nest_and_overlap_are_all_there() -> None:
    shown = Page(page.render(reading(), TEXT))
    assert shown.classes("build it") == {"quote", "direct", "position", "support"}
    assert shown.classes("Ann <Lee>") == {"entity", "speaker"}
    assert shown.classes("said") == {"cue"}
    assert shown.classes("“by May & June.”") == {"quote", "direct"}
    assert shown.classes("She") == {"entity"}


def test_the_pointer_shows_speaker_holder_and_stance() -> None:
    shown = Page(page.render(reading(), TEXT))
    [hint] = [hint for data, _, hint in shown.pieces if data == "build it"]
    assert "Ann <Lee> said" in hint
    assert "Ann <Lee> supports: build it [the bridge] (commit, direct quote, conditional)" in hint


def test_nothing_is_fetched_and_nothing_runs() -> None:
    html = page.render(reading(), TEXT)
    shown = Page(html)
    assert shown.links == []
    assert "script" not in shown.tags
    assert "url(" not in html
    assert "@import" not in html
    assert "prefers-color-scheme: dark" in html


@given(
    st.text(),
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from(["entity", "quote direct"]), st.text())),
)
def test_any_text_survives_any_highlights(text: str, stretches: list[tuple[int, int, str, str]]) -> None:
    marks = [
        page.Highlight(min(start, end, len(text)), min(max(start, end), len(text)), classes, hint)
        for start, end, classes, hint in stretches
    ]
    html = "".join(page.marked(text, [mark for mark in marks if mark.start < mark.end]))
    shown = Page(f"<article>{html}</article>")
    assert shown.text == text
    for mark in marks:
        covered = "".join(data for data, classes, hint in shown.pieces if mark.hint in hint and mark.classes in classes)
        assert text[mark.start : mark.end] in covered or mark.start >= mark.end
