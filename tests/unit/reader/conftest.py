"""Fixtures of the reading's tests."""

import pytest

from services.extraction.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    """Return the pipeline as it comes: the English model and all extractors."""
    return Pipeline()
