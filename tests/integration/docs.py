"""The code blocks of the project's pages, for the tests that run them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "deploy", "training")
ASSIGNMENT = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
REDIRECTIONS = {">", ">>", "<", "2>"}


@dataclass(frozen=True)
class Block:
    """A block of code: where it stands, and what its fence says that it is."""

    page: str
    line: int
    language: str
    name: str
    """What follows the language: a file's name, or the event that is shown."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One line of a shell's block, continued lines joined."""

    block: Block
    line: str
    programs: tuple[tuple[str, ...], ...]
    """The words of each program that the line calls, without redirections."""
    variables: tuple[tuple[str, str], ...]
    """What the line sets, exported or before a program."""

    def __str__(self) -> str:
        return f"{self.block}:{' '.join(self.line.split()[:4])}"


def pages() -> list[Path]:
    """Return every page of the project."""
    found = chain(ROOT.glob("*.md"), *((ROOT / folder).glob("**/*.md") for folder in FOLDERS))
    return sorted(page for page in found if ".venv" not in page.parts)


def blocks() -> list[Block]:
    """Return every block of every page. One that is indented names no language, and is taken for commands."""
    return [block for page in pages() for block in _blocks_of(page)]


def _blocks_of(page: Path) -> Iterator[Block]:
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type in {"fence", "code_block"}:
            assert token.map is not None
            language, _, name = token.info.strip().partition(" ") if token.info else ("sh", "", "")
            yield Block(page.relative_to(ROOT).as_posix(), token.map[0] + 1, language, name, token.content)


def one(name: str, page: str = "docs/events.md") -> Block:
    """Return the only block of a page with that name."""
    [found] = [block for block in blocks() if (block.page, block.name) == (page, name)]
    return found


def commands() -> list[Command]:
    """Return every line of every block of shell commands."""
    return [command for block in blocks() if block.language == "sh" for command in _commands_of(block)]


def _commands_of(block: Block) -> Iterator[Command]:
    for line in block.text.replace("\\\n", " ").splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars=True)
        words.whitespace_split = True
        programs: list[tuple[str, ...]] = []
        variables: list[tuple[str, str]] = []
        for program in _split(list(words)):
            while program and (program[0] == "export" or ASSIGNMENT.fullmatch(program[0])):
                if found := ASSIGNMENT.fullmatch(program.pop(0)):
                    variables.append((found["name"], found["value"]))
            if program:
                programs.append(tuple(program))
        if programs or variables:
            yield Command(block, line, tuple(programs), tuple(variables))


def _split(words: list[str]) -> Iterator[list[str]]:
    """Yield the words of each program of a line."""
    program: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in {"|", "&&", "||", ";"}:
            yield program
            program = []
        elif word in REDIRECTIONS:
            next(rest)
        else:
            program.append(word)
    yield program
