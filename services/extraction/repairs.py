"""spaCy's names put right one by one: cut where they run on, made whole where they stop short, relabelled or dropped.

The rules look at form alone (brackets, commas, titles, particles); what an article or the gazetteer knows comes later.
"""

import re
from collections.abc import Iterator, Sequence

from schemas import EntityType
from services.extraction import gazetteer, people, phrases, truecase
from services.extraction.people import Word
from services.extraction.phrases import Name
from services.extraction.tokens import Tokens, tokens_of
from services.extraction.wordlists import group

LEADING = re.compile(
    r"""
    (?: [\"“”‘’'(\[\s,;:–—-]+
      | (?: [Tt]he | THE | [Aa]n? ) \s+
      | (?: [Pp]ro | [Aa]nti | [Ee]x | [Tt]hen | [Nn]on | [Pp]ost | [Mm]id ) - (?=[A-Z])   # pro-Beijing
    )+
    """,
    re.VERBOSE,
)
TRAILING = re.compile(r"(?:['’][sS]|[\"“”‘’'(\[)\]\s,;:–—-])++$")

SEPARATOR = re.compile(
    r"""
      \s* [()\[\]]+ \s*
    | \s* \n \s*
    | ,\s+ (?! (?: Inc | Ltd | LLC | Corp | Co | Jr | Sr | D\.C | DC | PLC | and\b ) )   # no comma of "Amazon, Inc."
    | \s+ (?: [-–—/] | vs\.? ) \s+
    | (?<=[a-z]) / (?=[A-Z])                                                            # Omar Havana/Getty Images
    | :\s+
    """,
    re.VERBOSE,
)
"""What divides two names that spaCy took for one: "Amnesty International, Human Rights Watch", "Bush - Cheney"."""

JOINED = frozenset({EntityType.PERSON, EntityType.ORG, EntityType.GPE, EntityType.LOC, EntityType.NORP, EntityType.FAC})
"""Types whose names hold no comma. Laws, works and events may ("Strategic Arms Reduction, Treaty on")."""


def repaired(text: str, tokens: Tokens, names: Sequence[Name]) -> Iterator[Name]:
    """Yield the names that `names`, in order and as spaCy found them, should have been."""
    for index, name in enumerate(names):
        following = names[index + 1].start if index + 1 < len(names) else len(text)
        preceding = names[index - 1].end if index else 0
        for part in _at_office(text, _divided(text, name)):
            piece = _after_chamber(text, _trimmed(text, _before_verb(tokens, part)))
            if piece.type is EntityType.PERSON:
                whole = _whole_person(text, tokens, _without_title(text, piece), preceding, following)
            else:
                whole = _without_office(text, piece) if piece.type in JOINED else piece
            if whole.start < whole.end and not _is_no_name(text, whole):
                yield whole._replace(type=_type(text, whole))


def _divided(text: str, name: Name) -> Iterator[Name]:
    """Yield the parts of a name that brackets, a line's end, a comma or a spaced dash divide."""
    if name.type not in JOINED:
        end = text.find("\n", name.start, name.end)
        yield name if end < 0 else name._replace(end=end)
        return
    start = name.start
    for match in SEPARATOR.finditer(text, name.start, name.end):
        if match.group().strip() in ("-", "–") and name.type is not EntityType.PERSON:
            continue
        if start < match.start():
            yield name._replace(start=start, end=match.start())
        start = match.end()
    if start < name.end:
        yield name._replace(start=start)


def _before_verb(tokens: Tokens, name: Name) -> Name:
    """Return an event's, a law's or a building's name up to the first verb in it: "Second World War *ended in*"."""
    if name.type not in (EntityType.EVENT, EntityType.LAW, EntityType.FAC):
        return name
    first, last = tokens_of(tokens, name.start, name.end)
    for index in range(first + 1, min(last, len(tokens.texts))):
        if tokens.pos[index] in ("VERB", "AUX") and tokens.texts[index].islower():
            return name._replace(end=tokens.ends[index - 1])
    return name


def _at_office(text: str, names: Iterator[Name]) -> Iterator[Name]:
    """Yield the two names that an office between them divides: "Arkansas *Governor* Bill Clinton"."""
    for name in names:
        words = list(re.finditer(r"\S+", text[name.start : name.end])) if name.type in JOINED else []
        offices = [
            i for i, word in enumerate(words) if people.role(word.group()) is Word.OFFICE and word.group()[0].isupper()
        ]
        middle = [i for i in offices if 0 < i < len(words) - 1]
        if not middle or phrases.head_kind(words[-1].group()) or not words[middle[-1] + 1].group()[0].isupper():
            yield name
            continue
        left = _without_office(text, name._replace(end=name.start + words[middle[0] - 1].end()))
        known = gazetteer.entry(text[left.start : left.end])
        kind = EntityType.ORG if name.type is EntityType.PERSON else name.type
        if not all(people.role(word) for word in text[left.start : left.end].split()):
            yield left._replace(type=known.type if known else kind)
        yield Name(name.start + words[middle[-1] + 1].start(), name.end, EntityType.PERSON)


def _trimmed(text: str, name: Name) -> Name:
    """Return `name` without articles, quotation marks, possessives and, in personal and place names, lower-case words
    at its end ("Robert Hendrickson joined")."""
    leading = LEADING.match(text, name.start, name.end)
    start = leading.end() if leading else name.start
    trailing = TRAILING.search(text, start, name.end)
    end = trailing.start() if trailing else name.end
    if name.type in JOINED:
        while (
            " " in (piece := text[start:end])
            and (last := piece.rsplit(" ", 1)[1])[:1].islower()
            and last not in people.particles()
        ):
            end = start + len(piece) - len(last) - 1
    return Name(start, max(start, end), name.type)


def _after_chamber(text: str, name: Name) -> Name:
    """Return the person that the end of an office runs into: "Speaker of the *House Nancy Pelosi*"."""
    words = text[name.start : name.end].split()
    person = (
        name.type in (EntityType.ORG, EntityType.GPE)
        and 3 <= len(words) <= 4
        and people.role(words[0]) is Word.MODIFIER
        and people.gender_of_first_name(words[1]) is not None
        and not any(phrases.head_kind(word) or gazetteer.entry(word) for word in words[1:])
    )
    return Name(name.start + len(words[0]) + 1, name.end, EntityType.PERSON) if person else name


def _without_title(text: str, name: Name) -> Name:
    """Return a person's name without the titles before it; noble ones stay ("Queen Beatrix"), and so does a lone
    title."""
    words = list(re.finditer(r"\S+", text[name.start : name.end]))
    while len(words) > 1 and words[-1].group() in group("name_words.tsv", "caption"):
        words.pop()
        name = name._replace(end=name.start + words[-1].end())
    for word in words[:-1]:
        bare = word.group().rstrip(",")
        if truecase.SUFFIX.fullmatch(bare.lower()) and people.gender_of_first_name(bare) is None:
            continue  # "*Injecting* Clinton's …"
        known = gazetteer.entry(bare)
        people_of_a_place = known is not None and known.place is not None
        if people.role(bare) in (None, Word.NOBLE) and not people_of_a_place:
            return name._replace(start=name.start + word.start())
    return name._replace(start=name.start + words[-1].start()) if words else name


def _without_office(text: str, name: Name) -> Name:
    """Return a name without the office of its holder at its end: "State Department *Spokesperson*"."""
    words = list(re.finditer(r"\S+", text[name.start : name.end]))
    while len(words) > 1 and people.role(words[-1].group()) is Word.OFFICE:
        words.pop()
    while len(words) > 1 and words[-1].group() in group("name_words.tsv", "caption"):
        words.pop()
    while len(words) > 1 and words[-1].group() in ("Prime", "Deputy", "Vice", "Assistant", "Chief"):
        words.pop()
    return name._replace(end=name.start + words[-1].end()) if words else name


def _whole_person(text: str, tokens: Tokens, name: Name, preceding: int, following: int) -> Name:
    """Return a personal name with the parts that spaCy cut off: "*Junius* Spencer Morgan", "Hugh Lawson *White*",
    "Moon Jae*-in*". It grows over proper nouns, between its neighbours `preceding` and `following`."""
    first, last = tokens_of(tokens, name.start, name.end)
    while first > 0 and tokens.starts[first - 1] >= preceding and _is_part(tokens, first - 1):
        first -= 1
    if first > 0 and people.role(tokens.texts[first - 1]) is Word.NOBLE and tokens.texts[first - 1][0].isupper():
        first -= 1  # "*Sir* William Deane"
    if last < len(tokens.texts) and tokens.texts[last - 1] in people.particles() and tokens.texts[last][0].isupper():
        last += 1  # "Ursula von der *Leyen*"
    last = _with_particle(tokens, last)
    while last < len(tokens.texts) and tokens.ends[last] <= following:
        hyphen = (
            tokens.texts[last] == "-" and tokens.ends[last - 1] == tokens.starts[last] and last + 1 < len(tokens.texts)
        )
        if hyphen and tokens.starts[last + 1] == tokens.ends[last] and tokens.texts[last + 1].isalpha():
            last += 2
        elif _is_part(tokens, last) and text[tokens.starts[last] - 1] == " ":
            last += 1
        else:
            break
    return Name(min(name.start, tokens.starts[first]), max(name.end, tokens.ends[last - 1]), name.type)


def _with_particle(tokens: Tokens, last: int) -> int:
    """Return the token after a personal name that goes on with an Arabic article at `last`: "Haider *al-Abadi*"."""
    rest = tokens.texts[last : last + 3]
    if len(rest) == 3 and rest[0] in ("al", "el") and rest[1] == "-" and rest[2][0].isupper():
        return last + 3
    return last + 1 if rest and rest[0].startswith(("al-", "el-")) and rest[0][3:4].isupper() else last


def _is_part(tokens: Tokens, index: int) -> bool:
    """Return whether the token at `index` can only be part of the personal name beside it."""
    word = tokens.texts[index]
    if tokens.pos[index] != "PROPN" or not word[0].isupper() or not word[-1].isalpha():
        return False
    return not (
        word in group("name_words.tsv", "caption")
        or (word.isupper() and len(word) > 1)
        or people.role(word)
        or gazetteer.entry(word)
        or phrases.head_kind(word)
        or truecase.is_common(word.lower())
        or word in phrases.MONTHS
    )


def _is_no_name(text: str, name: Name) -> bool:  # noqa: PLR0911  # a list of reasons
    """Return whether `name` is an office by itself ("Major General", "MP"), a caption's label, or no capital at all."""
    piece = text[name.start : name.end]
    if name.type not in JOINED:
        return name.type is EntityType.EVENT and piece.isdecimal()
    if (
        name.type is EntityType.PERSON
        and " " in piece
        and all(truecase.is_common(word) for word in piece.lower().split())
    ):
        return people.gender_of_first_name(piece.split()[0]) is None  # "Gender Equality", a heading
    if (
        piece in group("name_words.tsv", "caption")
        or phrases.is_year(piece)
        or not any(letter.isalpha() for letter in piece)
    ):
        return True
    if piece.islower() and gazetteer.entry(piece) is None:
        return True
    roles = [people.role(word.replace(".", "")) for word in piece.split()]
    if all(roles) and Word.OFFICE in roles:
        return True
    if " " in piece:
        return False
    before = text[max(0, name.start - 20) : name.start]
    after = text[name.end : name.end + 20].split()
    of_office = (
        people.role(piece) is Word.MODIFIER and bool(after) and people.role(after[0].rstrip("s.,'’")) is Word.OFFICE
    )
    return bool(OFFICE_OF.search(before)) or of_office or _is_capital_of_sentence(text, name)


def _is_capital_of_sentence(text: str, name: Name) -> bool:
    """Return whether `name` is a common word that a sentence begins with: "*Alarm* bells went off"."""
    before = text[max(0, name.start - 3) : name.start].rstrip(" \"“‘'")
    piece = text[name.start : name.end]
    opens = before[-1:] in ("", ".", "!", "?", "\n", ":")
    is_word = piece.lower() in truecase.common() or bool(truecase.SUFFIX.fullmatch(piece.lower()))
    return opens and is_word and gazetteer.entry(piece) is None and people.gender_of_first_name(piece) is None


OFFICE_OF = re.compile(r"\b(?:[Ss]ecretary|[Mm]inister|[Mm]inistry|[Ss]ecretaries|[Mm]inisters) of (?:the )?$")


def _type(text: str, name: Name) -> EntityType:
    """Return the type of `name`; what begins with a first name and has no institution's noun is a person."""
    if name.type not in JOINED:
        return name.type
    words = text[name.start : name.end].split()
    if name.type is EntityType.PERSON:
        is_acronym = len(words) == 1 and words[0].isupper() and words[0].isalpha() and 1 < len(words[0]) < 6
        return EntityType.ORG if is_acronym else name.type
    is_person = (
        2 <= len(words) <= 4
        and people.gender_of_first_name(words[0]) is not None
        and all(word[0].isupper() or word in people.particles() for word in words)
        and not any(phrases.head_kind(word) or gazetteer.entry(word) or "&" in word for word in words)
        and words[-1].lower() not in truecase.common()
        and not words[-1].isupper()
    )
    return EntityType.PERSON if is_person else name.type
