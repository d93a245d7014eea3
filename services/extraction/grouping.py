"""Named mentions of one article grouped by what they name: surnames with full names, acronyms with long forms.

Grouping is by the names alone. Mentions that are written alike form one *form*; forms are joined where one is known to
stand for the other. Only a surname that two people share is decided mention by mention.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from schemas import EntityType
from services.extraction import gazetteer, people
from services.extraction.agreement import COMPANY_SUFFIXES
from services.extraction.people import Gender, Word, fold
from services.extraction.phrases import Name

PLACES = frozenset({EntityType.GPE, EntityType.LOC, EntityType.FAC})
LONG_FORMS = frozenset({EntityType.ORG, EntityType.EVENT, EntityType.LAW})

NEAR = 200
"""Distance in code points, about a sentence, within which a surname goes on from a full name."""

UNSPOKEN = frozenset({"of", "the", "and", "for", "in", "on", "de", "du", "des", "la", "le", "to", "a", "&"})
"""Words whose first letter an acronym may leave out."""


@dataclass(slots=True)
class Group:
    """What the named mentions of one thing have in common."""

    type: EntityType
    names: list[Name] = field(default_factory=list)
    forms: Counter[str] = field(default_factory=Counter)
    """How often each spelling was used."""
    entry: gazetteer.Entry | None = None

    @property
    def canonical(self) -> str:
        """Return the fullest spelling; of equals the most frequent, then the first in the alphabet."""
        if self.entry is not None and self.type is EntityType.GPE and self.entry.name in self.forms:
            return self.entry.name  # "North Korea" rather than its official style
        if self.type is EntityType.NORP:
            return min(self.forms, key=lambda form: (-self.forms[form], form))
        return min(self.forms, key=lambda form: (self._is_embellished(form), -len(form), -self.forms[form], form))

    def _is_embellished(self, form: str) -> bool:
        """Return whether `form` is a more frequent full name with something before it ("Crooked Hillary Clinton")."""
        return any(
            form.endswith(" " + other) and " " in other and count > self.forms[form]
            for other, count in self.forms.items()
        )


@dataclass(slots=True)
class _Form:
    """The mentions that are written alike."""

    key: tuple[str, ...]
    type: EntityType
    spelling: str
    entry: gazetteer.Entry | None
    names: list[Name] = field(default_factory=list)
    root: "_Form | None" = None

    def top(self) -> "_Form":
        form = self
        while form.root is not None:
            form = form.root
        return form

    def join(self, other: "_Form") -> None:
        """Make this form stand for the same as `other`."""
        own, others = self.top(), other.top()
        if own is not others:
            own.root = others


def group(readable: str, names: Sequence[Name]) -> list[Group]:
    """Return the groups of `names`, in the order of their first mention; `readable` is the truecased text."""
    forms = _forms(readable, names)
    by_kind: defaultdict[str, list[_Form]] = defaultdict(list)
    for form in forms:
        by_kind[_kind(form.type)].append(form)
    _join_people(by_kind["PERSON"])
    for kind in ("ORG", "EVENT", "LAW"):
        _join_long_forms(by_kind[kind])
    _join_acronyms(readable, [form for form in forms if form.type in LONG_FORMS or form.type is EntityType.GPE])
    _join_misspelt(forms)
    chosen = _decide_surnames(readable, by_kind["PERSON"])
    groups: dict[int, Group] = {}
    for form in forms:
        for name in form.names:
            top = chosen.get(name.start, form).top()
            found = groups.setdefault(id(top), Group(top.type))
            found.names.append(name if name.type is top.type else name._replace(type=top.type))
            found.entry = found.entry or form.entry
    result = sorted(groups.values(), key=lambda each: min(each.names))
    for each in result:
        each.names.sort()
        each.forms = Counter(" ".join(readable[name.start : name.end].split()) for name in each.names)
    return result


def _kind(kind: EntityType) -> str:
    return "PLACE" if kind in PLACES else kind.value


def _forms(readable: str, names: Iterable[Name]) -> list[_Form]:
    """Return the forms of `names` in the order of their first mention."""
    forms: dict[tuple[str, tuple[str, ...]], _Form] = {}
    for name in names:
        spelling = " ".join(readable[name.start : name.end].split())
        known = gazetteer.entry(spelling) or gazetteer.entry(spelling.replace(".", ""))
        if known is not None and _kind(known.type) != _kind(name.type):
            known = None
        if name.type is EntityType.PERSON:
            key = people.parts(spelling) or (fold(spelling),)
        else:
            key = tuple(map(fold, (known.name if known else spelling).split()))
        form = forms.setdefault((_kind(name.type), key), _Form(key, name.type, spelling, known))
        form.names.append(name)
    return list(forms.values())


def _join_people(forms: list[_Form]) -> None:
    """Join the full names of one person: "Donald J. Trump" with "Donald Trump", "Bill" with "William"."""
    by_ends: defaultdict[tuple[str, str], list[_Form]] = defaultdict(list)
    for form in forms:
        if len(form.key) > 1:
            by_ends[form.key[-1], form.key[0]].append(form)
    full = [form for form in forms if len(form.key) > 1]
    for form in full:
        last, first = form.key[-1], form.key[0]
        for other in by_ends[last, first]:
            if other is not form and _compatible(form.key[1:-1], other.key[1:-1]):
                form.join(other)
        for short in people.short_forms(first):
            for other in by_ends.get((last, short), ()):
                other.join(form)
    by_key = {form.key: form for form in forms}
    for partial, bearers in _bearers(forms).items():
        if len(partial) > 1 and len(bearers) == 1:
            by_key[partial].join(bearers[0])  # "Hillary Clinton", "Crooked Hillary Clinton"


def _bearers(forms: list[_Form]) -> dict[tuple[str, ...], list[_Form]]:
    """Return for every partial name who bears it: by surname, particles included or not, or else by first name."""
    by_tail: defaultdict[tuple[str, ...], dict[int, _Form]] = defaultdict(dict)
    by_first: defaultdict[str, dict[int, _Form]] = defaultdict(dict)
    for form in forms:
        for begin in range(1, len(form.key)):
            by_tail[form.key[begin:]][id(form.top())] = form.top()
        if len(form.key) > 1:
            by_first[form.key[0]][id(form.top())] = form.top()
    found = {}
    for form in forms:
        bearers = by_tail.get(form.key) or (by_first.get(form.key[0]) if len(form.key) == 1 else None) or {}
        others = [bearer for bearer in bearers.values() if bearer is not form.top()]
        if others:
            found[form.key] = others
    return found


def _compatible(middle: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether two runs of middle names can be one person's: one is absent, or each initial agrees."""
    return not middle or not other or all(a[0] == b[0] for a, b in zip(middle, other, strict=False))


def _decide_surnames(readable: str, forms: list[_Form]) -> dict[int, _Form]:
    """Return whose every mention by part of a name is, by the mention's start.

    "Mrs. Clinton" goes to the woman, "Mr. Obama" not to Michelle Obama. Otherwise a surname means the bearer whom the
    article names in full far more often than the others; of equals the only one named right before it, or else the one
    named first, whom the article is about.
    """
    chosen: dict[int, _Form] = {}
    by_key = {form.key: form for form in forms}
    full_names: defaultdict[int, list[int]] = defaultdict(list)
    for form in forms:
        if len(form.key) > 1:
            full_names[id(form.top())] += [name.start for name in form.names]
    for starts in full_names.values():
        starts.sort()
    for key, bearers in _bearers(forms).items():
        if len(key) > 1:
            continue
        own = by_key[key]
        asked = {name.start: _title_gender(readable, name.start) for name in own.names}
        strangers = [gender for gender in asked.values() if gender and not any(_may_be(b, gender) for b in bearers)]
        for name in own.names:
            fitting = [bearer for bearer in bearers if _may_be(bearer, asked[name.start])]
            if strangers and (not fitting or asked[name.start] is None):
                continue  # somebody of the name whom the article never names in full
            places = {id(bearer): full_names[id(bearer)] for bearer in fitting}
            most = max(map(len, places.values()))
            leading = [bearer for bearer in fitting if len(places[id(bearer)]) * 2 >= most]
            near = [bearer for bearer in leading if name.start - _last_before(places[id(bearer)], name.start) < NEAR]
            chosen[name.start] = near[0] if len(near) == 1 else min(leading, key=lambda each: places[id(each)][0])
    return chosen


def _may_be(bearer: _Form, gender: Gender | None) -> bool:
    """Return whether the bearer of a full name may be somebody of that gender."""
    return gender is None or _gender(bearer.key) in (gender, None)


def _last_before(starts: Sequence[int], place: int) -> int:
    """Return the last of the sorted `starts` before `place`; when all come after, a place far before the article."""
    before = bisect_left(starts, place)
    return starts[before - 1] if before else -len(starts) - NEAR


def _title_gender(readable: str, start: int) -> Gender | None:
    """Return the gender of the honorific before `start`, as in "Mrs. Clinton"."""
    words = readable[max(0, start - 12) : start].split()
    return people.gender_of_title(words[-1]) if words and people.role(words[-1]) is Word.HONORIFIC else None


def _gender(key: tuple[str, ...]) -> Gender | None:
    return people.gender_of_first_name(key[0].capitalize())


def _join_acronyms(readable: str, forms: list[_Form]) -> None:
    """Join acronyms with the long form whose initials they are: "SDI" with "Italian Democratic Socialists" said
    before."""
    by_initials: defaultdict[str, list[_Form]] = defaultdict(list)
    for form in forms:
        words = form.spelling.replace("-", " ").split()
        if len(words) > 1:
            for initials in _initials(words):
                by_initials[initials].append(form)
    starts = {name.end: form for form in forms for name in form.names}
    for form in forms:
        plain = form.spelling.replace(".", "")
        if " " in plain or not 2 <= len(plain) <= 8 or sum(letter.isupper() for letter in plain) < 2:
            continue
        long = next(filter(None, (_in_front(readable, name, starts) for name in form.names)), None)
        candidates = {id(each.top()): each for each in by_initials.get(plain.upper(), ()) if each is not form}
        if long is None and len(candidates) == 1:
            long = next(iter(candidates.values()))
        if long is not None and _kind(long.type) == _kind(form.type):
            form.join(long)


def _in_front(readable: str, name: Name, ends: dict[int, _Form]) -> _Form | None:
    """Return the long form that stands before an acronym in brackets: "Movement for the Left (MpS)"."""
    before = readable[max(0, name.start - 2) : name.start]
    if before != " (" or readable[name.end : name.end + 1] != ")":
        return None
    long = ends.get(name.start - 2)
    return long if long is not None and long.spelling[0].upper() == readable[name.start].upper() else None


def _initials(words: Sequence[str]) -> set[str]:
    """Return the acronyms that `words` may give: with and without the small words."""
    full = "".join(word[0] for word in words if word[0].isalnum()).upper()
    short = "".join(word[0] for word in words if word[0].isalnum() and word.lower() not in UNSPOKEN).upper()
    return {acronym for acronym in (full, short) if len(acronym) > 1}


def _join_long_forms(forms: list[_Form]) -> None:
    """Join a short form with the one longer form it opens or ends: "Commission" with "European Commission", companies
    with and without "Inc."."""
    by_edge: defaultdict[str, dict[int, _Form]] = defaultdict(dict)
    bare: dict[tuple[str, ...], _Form] = {}
    for form in forms:
        words = tuple(word.strip(".,") for word in form.key)
        while len(words) > 1 and words[-1] in COMPANY_SUFFIXES:
            words = words[:-1]
        if words in bare:
            form.join(bare[words])
        else:
            bare[words] = form
        if len(words) > 1:
            by_edge[words[0]][id(form)] = form
            by_edge[words[-1]][id(form)] = form
    for form in forms:
        if len(form.key) == 1 and len(form.key[0]) > 3:
            tops = {id(each.top()): each for each in by_edge.get(form.key[0], {}).values() if each is not form}
            if len(tops) == 1:
                form.join(next(iter(tops.values())))


def _join_misspelt(forms: list[_Form]) -> None:
    """Join a name printed once that is one slip away from a person's surname, whatever it was taken for: "Butte",
    Rutte.

    Only names that no list knows, and only where the right spelling is used more often.
    """
    surnames: dict[str, _Form] = {}
    for form in forms:
        if form.type is EntityType.PERSON and len(form.key[-1]) >= 5:
            known = surnames.get(form.key[-1])
            if known is None or (len(form.key) > 1, len(form.names)) > (len(known.key) > 1, len(known.names)):
                surnames[form.key[-1]] = form
    counts = Counter(form.key[-1] for form in forms if form.type is EntityType.PERSON for _ in form.names)
    neighbours: defaultdict[str, list[str]] = defaultdict(list)
    for surname in surnames:
        if counts[surname] > 1:
            for shorter in _one_left_out(surname):
                neighbours[shorter].append(surname)
    for form in forms:
        word = form.key[-1]
        single = len(form.key) == 1 and len(form.names) == 1 and len(word) >= 5 and form.entry is None
        if not single or form.root is not None or counts[word] > 1 or gazetteer.entry(form.spelling):
            continue
        near = (surname for shorter in _one_left_out(word) for surname in neighbours.get(shorter, ()))
        right = next((surname for surname in near if one_slip(word, surname)), None)
        if right is not None:
            form.join(surnames[right])


def _one_left_out(word: str) -> list[str]:
    """Return `word` and what is left of it without each of its letters: words one slip apart share one of these."""
    return [word, *(word[:index] + word[index + 1 :] for index in range(len(word)))]


def one_slip(word: str, other: str) -> bool:
    """Return whether one letter put in, left out, changed or swapped with its neighbour makes `word` into `other`."""
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    index = 0
    while index < min(len(word), len(other)) and word[index] == other[index]:
        index += 1
    rest, others = word[index:], other[index:]
    swapped = len(rest) > 1 and len(others) > 1 and rest[0] == others[1] and rest[1] == others[0]
    return rest[1:] == others[1:] or rest == others[1:] or rest[1:] == others or (swapped and rest[2:] == others[2:])
