"""Requests inside of targets: "rejected *Kyiv's call for a truce*" says where Russia stands, and where Kyiv does."""

from collections.abc import Iterator

from spacy.tokens import Doc, Token

from schemas import Modality
from services.extraction import syntax, targets
from services.extraction.stands import Stand
from services.extraction.wordlists import group

ACTORS = frozenset({"GPE", "NORP", "ORG", "PERSON"})
"""Of a name before the noun ("a *Labour* call"): others say when or about what it is."""


def nested(doc: Doc, stand: Stand) -> Iterator[Stand]:
    """Yield the stand of whoever made the request or the offer that a stand is on, as likely as that one."""
    target = syntax.span_at(doc, *stand.target)
    noun = targets.wrapping(target) if target is not None else None
    maker = _maker(noun) if noun is not None else None
    if noun is None or maker is None:
        return
    offered = noun.lemma_.lower() in group("stance_nouns.tsv", "offer")
    modality = Modality.COMMIT if offered else Modality.DEMAND
    yield Stand(syntax.edges((noun,)), syntax.single_phrase(maker), stand.target, modality, stand.confidence, ())


def _maker(noun: Token) -> Token | None:
    """Return whose request it is: "*Kyiv's* call", "a *United Nations* appeal", "a call by *Kyiv*", "an appeal from
    *Kyiv*"."""
    owner = syntax.child(noun, "poss")
    if owner is not None:
        return owner
    name = syntax.child(noun, "compound")
    if name is not None and name.ent_type_ in ACTORS:
        return name
    prep = next(
        (each for each in noun.children if each.dep_ in ("prep", "agent") and each.lower_ in ("by", "from")), None
    )
    return syntax.child(prep, "pobj") if prep is not None else None
