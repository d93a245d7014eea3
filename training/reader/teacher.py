"""Annotations by an earlier network, for articles that people have annotated for the other task alone.

A network that learns two tasks from articles of one annotation each hears nothing of the other task in half of what it
reads. What an earlier network finds there is right more often than not where it is sure, and where it is in doubt the
new one is told nothing (self-training: Yarowsky 1995; with a network as its own teacher: Xie et al. 2020).
"""

from collections.abc import Mapping
from typing import Any

from services.extraction.pipeline import candidates
from services.extraction.reader.network import Network
from services.extraction.reports import likely as likely_reports
from services.extraction.stands import likely as likely_stands
from training.reader import gold
from training.reader.gold import POSITIONS, QUOTES

SURE, DOUBTFUL = 0.5, 0.2
"""Least confidence of an annotation, and of one that is neither right nor wrong to the learner."""


def annotations(teacher: Network, row: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return what the teacher finds in an article, by task, written as the annotations of people are."""
    words = gold.words_of(row["text"], row.get("title"), teacher.wordpieces)
    reported, taken = candidates(teacher, words)
    return {
        QUOTES: [
            {
                "cue": gold.span(row["text"], each.cue),
                "speaker": gold.span(row["text"], each.source),
                "fragments": each.content,
                "optional": each.confidence < SURE,
            }
            for each in likely_reports(reported, DOUBTFUL)
        ],
        POSITIONS: [
            {
                "cue": gold.span(row["text"], each.cue),
                "holder": gold.span(row["text"], each.holder),
                "target": gold.span(row["text"], each.target),
                "modality": each.modality,
                "optional": each.confidence < SURE,
            }
            for each in likely_stands(taken, teacher.calibration.position, DOUBTFUL)
        ],
    }
