"""Confidence: bounded, monotone, and the same after a round trip."""

import pytest

from services.extraction.reader.confidence import UNCALIBRATED, Calibration, Confidence, odds


def test_odds_and_back() -> None:
    assert UNCALIBRATED.quote((odds(0.3), 5.0, 5.0, 1.0)) == pytest.approx(0.3)


@pytest.mark.parametrize(("evidence", "confidence"), [(-1e9, 0.0), (1e9, 1.0)])
def test_however_strong_evidence_is_it_stays_a_probability(evidence: float, confidence: float) -> None:
    assert UNCALIBRATED.quote((evidence, 0.0, 0.0, 0.0)) == confidence


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_the_odds_of_certainty_are_finite(probability: float) -> None:
    assert abs(odds(probability)) < 10


def test_more_evidence_than_weights_is_a_fault() -> None:
    with pytest.raises(ValueError, match="zip"):
        Confidence((1.0, 0.0))((1.0, 2.0))


def test_what_is_written_is_read() -> None:
    assert Calibration.from_json(UNCALIBRATED.to_json()) == UNCALIBRATED
