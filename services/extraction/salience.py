"""How much of an article is about each entity."""

from collections.abc import Sequence

from schemas import MentionKind
from services.extraction.document import Document, Zone
from services.extraction.parties import Party
from services.extraction.tokens import Tokens, head_of, tokens_of

ZONES = {
    Zone.HEADLINE: 3.0,
    Zone.DECK: 2.0,
    Zone.BODY: 1.0,
    Zone.DATELINE: 0.3,
    Zone.CAPTION: 0.3,
    Zone.RELATED_LINK: 0.2,
    Zone.BYLINE: 0.1,
}
"""What a mention counts for by its place. What frames a story (captions, links, bylines) is not the story."""

ROLES = {"nsubj": 1.5, "nsubjpass": 1.3, "dobj": 1.1}
"""What a mention counts for by its syntactic role: who acts is who the sentence is about."""

KINDS = {MentionKind.NAME: 1.0, MentionKind.NOMINAL: 0.8, MentionKind.PRONOUN: 0.5}


def shares(document: Document, tokens: Tokens, parties: Sequence[Party]) -> list[float]:
    """Return the salience of every party, from 0 to 1; the most salient party of the article has 1.

    The sum over its mentions of zone times role times kind, each mention discounted to half towards the end of the
    article (news puts first what matters), divided by the highest sum."""
    length = max(1, len(document.text))
    sums = [
        sum(
            ZONES[document.zone_at(mention.start)]
            * ROLES.get(tokens.deps[head_of(tokens, *tokens_of(tokens, mention.start, mention.end))], 1.0)
            * KINDS[mention.kind]
            * (1.0 - 0.5 * mention.start / length)
            for mention in party.mentions
        )
        for party in parties
    ]
    highest = max(sums, default=1.0)
    return [round(total / highest, 4) for total in sums]
