from pathlib import Path

import pytest
import spacy

from services.extraction import models
from services.extraction.models import ModelError

DEFAULT = models.DEFAULT_MODELS["en"]


def test_a_package_that_is_not_installed() -> None:
    with pytest.raises(ModelError, match=r"^model 'xx_no_such_model': no such package is installed"):
        models.load("xx_no_such_model", {"ner"})


def test_a_package_that_is_no_pipeline() -> None:
    with pytest.raises(ModelError, match=r"^model 'json': not a spaCy pipeline"):
        models.load("json", {"ner"})


@pytest.mark.parametrize("missing", ["parser", "ner"])
def test_a_pipeline_without_a_needed_component_names_it(tmp_path: Path, missing: str) -> None:
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(ModelError, match=f"has no '{missing}' component") as raised:
        models.load(str(tmp_path), {missing})
    assert "\n" not in str(raised.value)


def test_components_that_nobody_needs_are_not_loaded() -> None:
    assert models.load(DEFAULT, {"tok2vec", "ner"}).pipe_names == ["ner"]


def test_shared_vectors_stay_for_who_listens() -> None:
    nlp = models.load(DEFAULT, {"tok2vec", "tagger", "ner"})
    assert nlp.pipe_names == ["tok2vec", "tagger", "ner"]
    assert [token.tag_ for token in nlp("She left.")] == ["PRP", "VBD", "."]


def test_the_version_is_the_pipelines_own() -> None:
    assert models.version(models.load(DEFAULT, {"ner"})) == "3.8.0"
