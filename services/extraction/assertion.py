"""What syntax tells for certain of a stand: whether it is asserted, denied, over, a reproach, or hangs on a condition.

The learned reader goes by likeness; in these few patterns likeness misleads, and the grammar does not. What a
negation makes of a stand follows PLOVER and FactBank (Saurí and Pustejovsky 2009): polarity is computed along
the verbs above an event, and what is not denied is not thereby affirmed.
"""

from collections.abc import Iterable

from spacy.tokens import Span, Token

from schemas import Modality
from services.extraction import syntax
from services.extraction.wordlists import group

CONDITIONS = frozenset({"if", "unless", "until", "provided"})

SUPPOSING = frozenset({"if", "whether", "unless"})

FORMERLY = frozenset({"once", "formerly", "initially", "originally"})

LONG_TIMES = frozenset({"year", "decade"})
"""What is this long ago is told as history; of last week it is news."""

REPROACHED_WITH = frozenset({"of", "for", "with"})

ABOVE = 4
"""Clauses above a cue that are looked at: further up another sentence begins, whatever the parse says."""

NEGATED = {
    Modality.DEMAND: Modality.OPPOSE,
    Modality.SUPPORT: Modality.OPPOSE,
    Modality.COMMIT: Modality.REJECT,
}
"""What a negation makes of a stand that is for something."""


def is_asserted(cue: Token) -> bool:
    """Return whether a clause is stated as a fact, and still holds.

    - not in a question: "Does Merz *support* the bill?"
    - not under "if" or "whether": "did not say whether he *supports* it"
    - not what is denied: "*denied* that the government *plans* to cut pensions"
    - not what is given up: "dropped her *opposition* to the pipeline"
    """
    if cue.sent.text.rstrip(" \"”’'\n").endswith("?") or cue.lemma_.lower() == "deny" or _is_given_up(cue):
        return False
    verb = cue
    for _ in range(ABOVE):
        if any(each.dep_ == "mark" and each.lower_ in SUPPOSING for each in verb.lefts):
            return False
        if verb.dep_ not in ("xcomp", "conj", "acl", "ccomp", "relcl"):
            return True
        if verb.dep_ == "ccomp" and verb.head.lemma_ == "deny":
            return False
        verb = verb.head
    return True


def _is_given_up(cue: Token) -> bool:
    """Return whether a cue is, or governs, an attitude that is given up: "*dropped* its *objections* to it"."""
    attitudes, endings = group("stance_verbs.tsv", "attitude"), group("stance_verbs.tsv", "end")
    noun = syntax.child(cue, "dobj") if cue.lemma_.lower() in endings else cue
    return (
        noun is not None
        and noun.dep_ == "dobj"
        and noun.lemma_.lower() in attitudes
        and noun.head.lemma_.lower() in endings
        and not syntax.is_negated(noun.head)
    )


def modality(cue: Iterable[Token], read: Modality) -> Modality:
    """Return the modality of a cue whose words the reader takes for `read`; the negation is asymmetric.

    - not to be against something leaves it open: "did *not reject* the bill", "*refused to rule out* sanctions"
    - not to be for it is to be against it: "does *not support* the bill"
    - what should not be done is opposed: "Congress *must not* cut aid"
    """
    words = list(cue)
    against, favour = group("stance_verbs.tsv", "against"), group("stance_verbs.tsv", "for")
    for word in words:
        lemma = word.lemma_.lower()
        if word.pos_ == "VERB" and lemma in against and _is_denied(word):
            return Modality.OPEN
        if word.pos_ == "VERB" and lemma in favour and read in NEGATED and _is_denied(word):
            return NEGATED[read]
    lower = {word.lower_ for word in words}
    if (
        read is Modality.DEMAND
        and lower & {"not", "n't", "n’t", "never"}
        and lower <= group("stance_verbs.tsv", "duty")
    ):
        return Modality.OPPOSE
    return read


def left_open(read: Modality, target: Span) -> Token | None:
    """Return what a refusal to exclude something leaves open: "refused to rule out *a tax*"."""
    verb = target.root
    excludes = verb.pos_ == "VERB" and verb.lemma_.lower() in group("stance_verbs.tsv", "exclude")
    if (
        read is not Modality.REJECT
        or not excludes
        or any(each.dep_ == "neg" and each in target for each in verb.children)
    ):
        return None
    excluded = syntax.child(verb, "dobj")
    return excluded if excluded is not None and excluded in target else None


def _is_denied(verb: Token) -> bool:
    """Return whether a verb is negated, or refused to do: "*refused* to rule out" (an implicative, Karttunen 1971)."""
    if syntax.is_negated(verb):
        return True
    refused = verb.dep_ == "xcomp" and verb.head.lemma_.lower() in group("stance_verbs.tsv", "refuse")
    return refused and not syntax.is_negated(verb.head)


def is_superseded(cue: Token) -> bool:
    """Return whether a stand is told as a former one.

    - by an adverb: "*initially* planned to sell", "*once* opposed it" (not "once again", nor "once the bill passes")
    - by a time that is over: "supported it *last year*", "*a decade ago* backed it"
    - by "used to": "*used to* favour the levy"
    - by an adjective: "a *former* opponent of the pipeline"
    """
    verb = cue
    for _ in range(ABOVE):
        if any(_says_formerly(each, verb) for each in verb.children):
            return True
        if verb.lower_ == "used" and syntax.child(verb, "xcomp") is not None and not syntax.is_passive(verb):
            return True
        if verb.dep_ != "xcomp":
            return False
        verb = verb.head
    return False


def _says_formerly(word: Token, verb: Token) -> bool:
    if word.dep_ == "advmod" and word.lower_ in FORMERLY and word.i < verb.i and verb.dep_ != "advcl":
        return word.nbor().lower_ not in ("again", "more")
    if word.dep_ == "advmod" and word.lower_ == "ago":
        return any(each.lemma_ in LONG_TIMES for each in word.children)
    if word.dep_ == "npadvmod" and word.lemma_ in LONG_TIMES:
        return any(each.lower_ == "last" for each in word.lefts)
    return word.dep_ == "amod" and word.lower_ == "former"


def accused(cue: Token) -> Token | None:
    """Return who is reproached with a stand, and so said to hold it: "accused *her* of wanting to close the school"."""
    verb = cue
    for _ in range(ABOVE):
        if verb.dep_ == "pcomp" and verb.head.lower_ in REPROACHED_WITH:
            accuses = verb.head.head
            if accuses.lemma_.lower() not in group("stance_verbs.tsv", "accuse"):
                return None
            return syntax.child(accuses, "dobj", "nsubjpass")
        if verb.dep_ not in ("xcomp", "conj"):
            return None
        verb = verb.head
    return None


def is_conditional(cue: Token) -> bool:
    """Return whether a condition hangs on a cue: "would *back* the plan *if* Washington gave guarantees"."""
    clauses = [each for each in cue.children if each.dep_ == "advcl"]
    if cue.dep_ in ("ccomp", "xcomp", "aux"):
        clauses += [each for each in cue.head.children if each.dep_ == "advcl"]
    return any(mark.dep_ == "mark" and mark.lower_ in CONDITIONS for clause in clauses for mark in clause.children)
