import numpy as np
import pytest
import spacy
from thinc.api import NumpyOps, get_current_ops

from services.extraction import backend, models
from services.extraction.backend import NumpyBlas

NUMBERS = np.random.default_rng(1)
X = NUMBERS.standard_normal((40, 96), dtype=np.float32)
Y = NUMBERS.standard_normal((50, 96), dtype=np.float32)


@pytest.mark.parametrize("ops", [NumpyOps(), NumpyBlas()], ids=["blis", "numpy"])
def test_a_row_is_the_same_in_any_company(ops: NumpyOps) -> None:
    assert backend.keeps_rows(ops)


@pytest.mark.parametrize("rows", [0, 1, 31, 32, 40])
def test_padding_is_not_seen(rows: int) -> None:
    expected = X[:rows] @ Y.T
    product = NumpyBlas().gemm(X[:rows], Y, trans2=True)
    assert product.shape == expected.shape
    np.testing.assert_allclose(product, expected, rtol=1e-4, atol=1e-5)
    out = np.full(expected.shape, 7, dtype=np.float32)
    assert NumpyBlas().gemm(X[:rows], Y, out=out, trans2=True) is out
    np.testing.assert_array_equal(out, product)


def test_products_of_turned_matrices() -> None:
    for first, second in ((True, False), (True, True), (False, True), (False, False)):
        x, y = X[:8, :6], Y[:8, :6] if first == second else Y[:6, :8].T if first else Y[:6, :8]
        left, right = x.T if first else x, y.T if second else y
        if left.shape[1] == right.shape[0]:
            product = NumpyBlas().gemm(x, y, trans1=first, trans2=second)
            np.testing.assert_allclose(product, left @ right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("gflops", "steady", "taken"), [((30, 90), True, "numpy"), ((30, 90), False, "blis"), ((80, 90), True, "blis")]
)
def test_numpy_is_taken_where_it_is_clearly_faster_and_steady(
    monkeypatch: pytest.MonkeyPatch, gflops: tuple[float, float], steady: bool, taken: str
) -> None:
    monkeypatch.setattr(backend, "_gflops", lambda _: gflops)
    monkeypatch.setattr(backend, "keeps_rows", lambda _: steady)
    assert backend.fastest.__wrapped__().name == taken


def test_networks_keep_what_they_were_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = backend.Backend("numpy", NumpyBlas(), 1.0)
    monkeypatch.setattr(models, "fastest", lambda: ours)
    usual = get_current_ops()
    nlp = models.load(models.DEFAULT_MODELS["en"], {"tok2vec", "tagger", "ner"})
    assert get_current_ops() is usual
    assert {id(node.ops) for node in nlp.get_pipe("tok2vec").model.walk()} == {id(ours.ops)}  # type: ignore[attr-defined]


def test_both_read_the_same() -> None:
    text = "Anna Keller, the transport minister, said on Monday in Oslo that Norway would spend $3 million. She left."
    read = []
    for ops in (NumpyOps(), NumpyBlas()):
        with backend.computing_with(ops):
            doc = spacy.load(models.DEFAULT_MODELS["en"], exclude=["senter"])(text)
        read.append([(token.tag_, token.dep_, token.head.i, token.ent_type_, token.lemma_) for token in doc])
    assert read[0] == read[1]
