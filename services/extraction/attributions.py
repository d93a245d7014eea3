"""Who speaks a marked passage, told from the words beside it: '"A," he said. "B."', 'He told us: "A"'.

Only the words between the passages of one paragraph are read, never those inside: a parser that is confused by a long
quotation cannot confuse this. It is the part of quote extraction that is certain from marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from spacy.tokens import Doc, Token

from services.extraction import syntax
from services.extraction.cues import Cues
from services.extraction.document import Offsets
from services.extraction.quotation import SENTENCE_ENDS, SPEECH_WORDS, Passage

CUE_WITHIN_WORDS = 16
"""How far after a passage its cue may stand: '"A," said' to '"A," Sen. Jane Roe, the Maine Republican who …, said'."""

LEAD_WITHIN_WORDS = 40
"""How far before a passage its cue may stand, when a colon or comma leads over to it."""

NOMINAL = ("NOUN", "PROPN", "PRON")


class Pattern(StrEnum):
    """How a marked passage is tied to its speaker; each has its own precision (`quote_patterns.tsv`)."""

    AFTER = "after"
    BEFORE = "before"
    LEAD = "lead"
    CARRIED = "carried"
    TURN = "turn"


@dataclass(slots=True)
class Said:
    """Marked words that are one quote: its pieces, and the cue and speaker beside them."""

    pieces: list[Offsets]
    pattern: Pattern
    cue: tuple[Token, ...] = ()
    source: Token | None = None


@dataclass(frozen=True, slots=True)
class _Cue:
    pattern: Pattern
    words: tuple[Token, ...]
    source: Token | None


class Paragraph:
    """One paragraph: its marked passages and the words between them."""

    def __init__(
        self,
        text: str,
        doc: Doc,
        span: Offsets,
        passages: Sequence[Passage],
        *,
        cues: Cues,
        lead: Sequence[Token] = (),
    ) -> None:
        """Lay out the paragraph at `span` of the article `text`, which `doc` is the reading of.

        `lead`: the last words of the paragraph before, where it ends with a colon.
        """
        self.text = text
        self.doc = doc
        self.passages = passages
        self.cues = cues
        bounds = [span[0], *(edge for passage in passages for edge in (passage.start, passage.end)), span[1]]
        self.gaps = [_words(doc, start, end) for start, end in zip(bounds[::2], bounds[1::2], strict=True)]
        if lead and not self.gaps[0]:
            self.gaps[0] = list(lead)

    def quotes(self) -> list[Said]:
        """Return the quotes that the marks of this paragraph make, in order."""
        found: list[Said] = []
        last: Said | None = None  # the quote that the passage before belongs to
        free = 0  # the first passage since the last one that belongs to a quote
        for index, passage in enumerate(self.passages):
            after, before = self._after(index), self._before(index)
            cue = after if after is not None and not (before is not None and self._is_closed(index)) else before
            if cue is None:
                last = self._without_cue(index, last, found)
            elif last is not None and last.cue and cue.words[0].i == last.cue[0].i:
                last.pieces.append((passage.start, passage.end))
            else:
                begins = cue.pattern is Pattern.AFTER and before is None
                start = self._sentence_start(index, free, last) if begins else passage.start
                # '"A," Graham said, *adding*, "B"': the speaker stays
                source = cue.source or (last.source if last is not None and cue.words[0].tag_ == "VBG" else None)
                last = Said([(start, passage.end)], cue.pattern, cue.words, source)
                found.append(last)
            free = index + 1 if last is not None else free
        return found

    def lead(self) -> Sequence[Token]:
        """Return the last words of the paragraph where they lead over to the next: 'Cruz continued:'."""
        tail = _tail(self.gaps[-1])
        return tail if tail and tail[-1].text == ":" else ()

    def _without_cue(self, index: int, last: Said | None, found: list[Said]) -> Said | None:
        """Take a passage that has no cue of its own: a piece of the quote before, a quote carried over, or none."""
        passage = self.passages[index]
        gap = self.gaps[index]
        words = [word for word in gap if not word.is_punct]
        if last is not None and (not words or self._is_attribution(gap, last)):
            last.pieces.append((passage.start, passage.end))
            return last
        if not _tail(gap) and self._is_speech(index):
            carried = Said([(passage.start, passage.end)], Pattern.CARRIED)
            found.append(carried)
            return carried
        return None

    def _is_attribution(self, gap: Sequence[Token], last: Said) -> bool:
        """Return whether the words between two passages only attribute them: '"A," *he said.* "B."'."""
        if not last.cue or last.pattern is not Pattern.AFTER or last.cue[0] not in gap:
            return False
        ends = [position for position, word in enumerate(gap) if word.text in SENTENCE_ENDS]
        if ends:
            return ends[0] == len(gap) - 1
        return gap[-1].text in (",", ":", "—", "–", "-", ";") or gap[-1] in (*last.cue, last.source)

    def _is_closed(self, index: int) -> bool:
        return self.passages[index].ends_sentence(self.text)

    def _last_character(self, index: int) -> str:
        start, end = self.passages[index].inner(self.text)
        return self.text[end - 1] if end > start else ""

    def _is_speech(self, index: int) -> bool:
        """Return whether a passage without cue, where a sentence may begin, is a sentence: "We will win. We must." """
        return self.passages[index].opens_sentence(self.text) and (self._is_closed(index) or not self.gaps[index + 1])

    def _is_headline(self, index: int) -> bool:
        """Return whether a passage opens its paragraph and is a clause and no title: *‘We must A’*: Merz speaks."""
        start, end = self.passages[index].inner(self.text)
        words = _words(self.doc, start, end)
        says = any(word.pos_ in ("PRON", "VERB", "AUX") for word in words)
        return not self.gaps[index] and says and len(words) >= SPEECH_WORDS

    def _sentence_start(self, index: int, free: int, last: Said | None) -> int:
        """Return where the sentence begins that a passage ends: '*They* "had chemistry," said Mr. Roe'.

        It may begin before other passages of the same sentence, back to `free`, the first that is in no quote yet.
        """
        start = self.passages[index].start
        while True:
            gap = self.gaps[index]
            tail = _tail(gap)
            words = [word for word in tail if not word.is_punct]
            if words and (last is None or not set(last.cue) & set(tail)):
                start = words[0].idx
            if len(tail) < len(gap) or index <= free or not words:
                return start
            index -= 1
            start = self.passages[index].start

    def _after(self, index: int) -> _Cue | None:
        """Return the cue that follows a passage: '"A," *said* Merz', '"A?" Merz *asked*'."""
        head = _head(self.gaps[index + 1])
        words = [word for word in head if not word.is_punct]
        verbless = self._verbless(index, head, words)
        if verbless is not None:
            return verbless
        verb = next((word for word in words[:CUE_WITHIN_WORDS] if self._is_quotative(word)), None)
        if verb is None:
            return None
        adjacent = words[0].i == verb.i
        led = self._last_character(index) in ",?!—–-…" or head[0].text in (",", "—", "–", "-", "--")
        starts = not _tail(self.gaps[index])
        if not (led or adjacent or (starts and words.index(verb) <= 4)):
            return None
        if (
            self._is_closed(index)
            and self._last_character(index) == "."
            and not words[0].text[:1].islower()
            and not adjacent
        ):
            return None
        if any(word.text == ":" for word in head[: head.index(verb)]):
            return None
        return _Cue(Pattern.AFTER, (verb,), self._speaker_after(verb, words))

    def _verbless(self, index: int, head: Sequence[Token], words: Sequence[Token]) -> _Cue | None:
        """Return the cue after a passage that is no verb: '"A," *according to* Merz', '"We must A"*:* Merz speaks'."""
        phrase = _source_phrase(words)
        if phrase and phrase[0] == words[0] and head[0].text in (",", words[0].text):
            return _sourced(phrase, Pattern.AFTER)
        if words and head[0].text == ":" and self._is_headline(index):
            return _Cue(Pattern.LEAD, (head[0],), _first_nominal(words))
        return None

    def _speaker_after(self, verb: Token, words: Sequence[Token]) -> Token | None:
        position = words.index(verb)
        own = syntax.child(verb, "nsubj")
        if own is not None and own in words:
            return own
        if position == 0:
            return _first_nominal(words[1:])
        return _first_nominal(words[:position])

    def _before(self, index: int) -> _Cue | None:
        """Return the cue that leads over to a passage: 'Merz *said*: "A"', 'Merz *told* reporters, "A"'."""
        tail = _tail(self.gaps[index])
        words = [word for word in tail if not word.is_punct]
        if not words:
            return None
        mark = tail[-1].text if tail[-1].is_punct else ""
        near = words[-LEAD_WITHIN_WORDS:]
        if mark == ":" and self._is_speech(index):
            verb = next((word for word in reversed(near) if _is_main(word, near)), None)
            if verb is not None and not self._is_quotative(verb) and verb.lemma_ != "be":
                return _Cue(Pattern.LEAD, (verb,), self._speaker_before(verb, words))
        verb = next((word for word in reversed(near) if self._is_quotative(word)), None)
        rest = words[words.index(verb) + 1 :] if verb is not None else []
        if verb is not None and (mark == ":" or not (_has_clause(rest) or (not mark and _is_title(rest)))):
            return _Cue(Pattern.BEFORE, (verb,), self._speaker_before(verb, words))
        phrase = _source_phrase(words)
        if phrase and mark in (",", ":") and not _has_clause(words[words.index(phrase[-1]) + 1 :]):
            return _sourced(phrase, Pattern.BEFORE)
        if mark == ":":
            return self._lead(words, tail[-1])
        return None

    def _lead(self, words: Sequence[Token], colon: Token) -> _Cue | None:
        """Return the speaker before a colon: 'Kasich: "A"', 'a statement from Merz: "A"', 'His answer: "A"'."""
        noun = next(
            (word for word in reversed(words) if word.lemma_ in self.cues.quotatives and word.pos_ == "NOUN"), None
        )
        if noun is not None:
            source = syntax.child(noun, "poss")
            by = next((each for each in noun.children if each.lower_ in ("from", "by")), None)
            return _Cue(Pattern.LEAD, (noun,), source or (syntax.child(by, "pobj") if by else None))
        names = [word for word in words if word.pos_ == "PROPN"]
        if names and len(words) <= 8 and not any(word.pos_ in ("VERB", "AUX") for word in words):
            return _Cue(Pattern.LEAD, (colon,), _first_nominal(words))
        return None

    def _speaker_before(self, verb: Token, words: Sequence[Token]) -> Token | None:
        if syntax.is_passive(verb):
            doer = syntax.agent(verb)
            if doer in words or syntax.child(verb, "auxpass") is not None:
                return doer if doer in words else None
        own = syntax.subject(verb)
        if own is not None and own in words and own.i < verb.i:
            return own
        return _last_subject(words[: words.index(verb)])

    def _is_quotative(self, word: Token) -> bool:
        return (
            word.tag_.startswith("VB")
            and word.lemma_.lower() in self.cues.quotatives
            and word.dep_ not in ("relcl", "aux", "auxpass", "amod")
            and not syntax.is_naming(word)
        )


def _words(doc: Doc, start: int, end: int) -> list[Token]:
    """Return the tokens between two offsets, without white space."""
    span = doc.char_span(start, end, alignment_mode="contract") if end > start else None
    return (
        [token for token in span if not token.is_space and token.text not in "\"“”''``‘’"] if span is not None else []
    )


def _head(gap: Sequence[Token]) -> Sequence[Token]:
    """Return the words up to the first end of a sentence."""
    for position, word in enumerate(gap):
        if word.text in SENTENCE_ENDS:
            return gap[: position + 1]
    return gap


def _tail(gap: Sequence[Token]) -> Sequence[Token]:
    """Return the words after the last end of a sentence."""
    for position in range(len(gap) - 1, -1, -1):
        if gap[position].text in SENTENCE_ENDS:
            return gap[position + 1 :]
    return gap


def _has_clause(words: Sequence[Token]) -> bool:
    """Return whether `words` hold a subject or a finite verb: then what follows is no longer the cue's own object."""
    return any(
        word.dep_ in ("nsubj", "nsubjpass", "expl") or word.tag_ in ("VBD", "VBZ", "VBP", "MD") for word in words
    )


def _source_phrase(words: Sequence[Token]) -> tuple[Token, ...]:
    """Return the words of the phrase that names a source: "*according to* the mayor", "*in the words of* Merz"."""
    lower = [word.lower_ for word in words]
    for first, word in enumerate(lower):
        if word == "according":
            return tuple(words[first : first + 2])
        if lower[first : first + 4] == ["in", "the", "words", "of"]:
            return tuple(words[first : first + 4])
    return ()


def _sourced(phrase: tuple[Token, ...], pattern: Pattern) -> _Cue:
    """Return the cue that a phrase is, with the source that it names."""
    return _Cue(pattern, phrase, syntax.child(phrase[-1], "pobj"))


def _is_main(word: Token, words: Sequence[Token]) -> bool:
    """Return whether a verb has its own subject among `words`: 'he *demurred*: "A"', 'Mr. Smith *shot* back: "A"'."""
    own = syntax.child(word, "nsubj") if word.pos_ == "VERB" else None
    return own is not None and own in words and word.dep_ not in ("relcl", "advcl", "ccomp", "acl")


def _is_title(words: Sequence[Token]) -> bool:
    """Return whether a passage after `words` is a name in them: 'said in an interview *on* "The Story"'."""
    return (
        len(words) > 1
        and words[-1].pos_ in ("ADP", "DET", "ADJ", "NOUN", "PART")
        and words[-1].lower_ not in ("that", "not")
    )


def _first_nominal(words: Sequence[Token]) -> Token | None:
    """Return the head of the first noun phrase among `words`."""
    for position, word in enumerate(words):
        if word.pos_ in NOMINAL:
            head = word
            while head.dep_ in ("compound", "nmod", "amod", "poss", "det") and head.head in words[position + 1 :]:
                head = head.head
            return head
    return None


def _last_subject(words: Sequence[Token]) -> Token | None:
    """Return the last subject among `words`, or else the head of their first noun phrase."""
    return next(
        (word for word in reversed(words) if word.dep_ in syntax.SUBJECTS and word.pos_ in NOMINAL), None
    ) or _first_nominal(words)
