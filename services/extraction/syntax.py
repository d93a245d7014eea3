"""Small questions about a dependency parse: who is the subject of a verb, how far does a noun phrase reach.

Labels are those of ClearNLP, which spaCy's English pipelines use (nsubj, ccomp, xcomp, relcl ...).
"""

from collections.abc import Iterable

from spacy.tokens import Doc, Span, Token

SUBJECTS = ("nsubj", "nsubjpass", "csubj", "expl")


def child(token: Token, *labels: str) -> Token | None:
    """Return the first child of `token` with one of the labels."""
    return next((each for each in token.children if each.dep_ in labels), None)


def subject(verb: Token) -> Token | None:
    """Return the head of who does `verb`, stated beside it or shared with a verb above.

    - its own subject: "Merz *said*"
    - that of the verb it is joined to: "Merz stood up and *said*"
    - the noun it describes: "a letter *saying* that …", "the man *accused* of …"
    - that of the verb it depends on: "Merz left, *saying* that …", "Merz wants *to say* …"
    """
    for _ in range(8):  # deeper chains are parse errors
        own = child(verb, *SUBJECTS)
        if own is not None:
            return own
        if verb.dep_ == "acl" and verb.head.pos_ in ("NOUN", "PROPN", "PRON"):
            return verb.head
        if verb.dep_ not in ("conj", "advcl", "xcomp", "acl", "pcomp", "ccomp", "prep", "dep", "aux"):
            return None
        verb = verb.head
    return None


def agent(verb: Token) -> Token | None:
    """Return the head of the doer of a passive: "was criticised by *Democrats*"."""
    by = child(verb, "agent")
    return child(by, "pobj") if by is not None else None


def is_passive(verb: Token) -> bool:
    """Return whether `verb` stands in the passive: "was criticised", "the bill criticised by", "*asked* whether …"."""
    if child(verb, "auxpass", "nsubjpass") is not None:
        return True
    return verb.tag_ == "VBN" and verb.dep_ in ("acl", "advcl") and child(verb, "aux", "nsubj") is None


def is_naming(verb: Token) -> bool:
    """Return whether a participle without a doer describes a noun: 'an album *called* "The Sea at Night"'."""
    return verb.tag_ == "VBN" and verb.dep_ == "acl" and agent(verb) is None


def is_negated(verb: Token) -> bool:
    """Return whether a "not", "never" or "no longer" belongs to `verb`."""
    return any(each.dep_ == "neg" or each.lower_ in ("never", "nor") for each in verb.children)


def edges(tokens: Iterable[Token]) -> tuple[int, int]:
    """Return the character offsets from the first to the last of `tokens`."""
    tokens = sorted(tokens, key=lambda each: each.i)
    return tokens[0].idx, tokens[-1].idx + len(tokens[-1])


def noun_phrase(noun: Token) -> tuple[int, int]:
    """Return the character offsets of the noun phrase that `noun` heads.

    Appositions and prepositional attributes belong to it ("Martin Indyk, the former envoy to the Middle East"),
    relative clauses and participles after a comma do not ("Sanders, who …", "Archer, wearing a shirt, …").
    """
    last = noun
    for each in sorted(noun.children, key=lambda each: each.i):
        if each.i < noun.i:
            continue
        if each.dep_ == "punct":
            continue
        after_comma = each.left_edge.i > 0 and each.doc[each.left_edge.i - 1].text in (",", "—", "–", "-", "(")
        if each.dep_ in ("relcl", "advcl", "parataxis") or (each.dep_ == "acl" and after_comma):
            break
        if each.dep_ in (
            "cc",
            "conj",
            "appos",
            "prep",
            "acl",
            "compound",
            "nummod",
            "amod",
            "case",
            "det",
            "poss",
            "npadvmod",
            "advmod",
            "nmod",
        ):
            last = each.right_edge
        if each.right_edge.i - noun.i > 40:  # nobody is introduced at such length: a parse error
            break
    first = noun.left_edge
    if first.dep_ == "punct" or first.is_space:
        first = next((each for each in noun.doc[first.i : noun.i + 1] if not each.is_punct and not each.is_space), noun)
    return first.idx, max(noun.idx + len(noun), last.idx + len(last))


def single_phrase(noun: Token) -> tuple[int, int]:
    """Return the character offsets of a noun phrase without what is joined to it: "*Sen. Graham* and Sen. Scott"."""
    start, end = noun_phrase(noun)
    if not any(each.dep_ in ("cc", "conj") and each.i > noun.i for each in noun.children):
        return start, end
    first = next(each for each in noun.children if each.i > noun.i and each.dep_ in ("cc", "conj", "punct"))
    last = noun.doc[max(noun.i, first.left_edge.i - 1)]
    return start, min(end, last.idx + len(last))


def antecedent(token: Token) -> Token:
    """Return the noun that a relative pronoun stands for ("*Merz*, who said …"), or `token` itself."""
    if token.tag_ in ("WP", "WDT") and token.head.dep_ == "relcl":
        return token.head.head
    return token


def span_at(doc: Doc, start: int, end: int) -> Span | None:
    """Return the tokens that `text[start:end]` touches, if only in part; None where there are none."""
    return doc.char_span(start, end, alignment_mode="expand")


def without_clause(doc: Doc, start: int, end: int) -> tuple[int, int]:
    """Return the offsets of a mention without the clause that a comma sets off: "*Anna Keller*, who leads it,"."""
    span = span_at(doc, start, end)
    if span is None:
        return start, end
    reach = noun_phrase(span.root)[1]
    last = next((token for token in span if token.idx >= reach), None)
    if reach > start and last is not None and last.text == ",":
        end = min(end, reach)
    words = span.text[start - span.start_char : end - span.start_char]
    return start, end - len(words) + len(words.rstrip(" ,;:–—-"))
