import os
import subprocess
import sys

import numpy as np
import pytest
import spacy
from thinc.api import NumpyOps, get_current_ops

from services.extraction import backend, models
from services.extraction.backend import NumpyBlas, NumpyBlocks
from services.extraction.threads import ONE_THREAD

NUMBERS = np.random.default_rng(1)
X = NUMBERS.standard_normal((330, 96), dtype=np.float32)
Y = NUMBERS.standard_normal((50, 96), dtype=np.float32)


NUMPY = pytest.mark.parametrize("ops", [NumpyBlas(), NumpyBlocks()], ids=["numpy", "numpy-blocks"])


def test_a_row_is_the_same_in_any_company() -> None:
    assert backend.keeps_rows(NumpyOps())
    assert backend.keeps_rows(backend.fastest().ops)


def test_numpy_keeps_rows_on_one_thread_on_every_processor() -> None:
    code = "from services.extraction.backend import *; print(any(map(keeps_rows, (NumpyBlas(), NumpyBlocks()))))"
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, env=os.environ | ONE_THREAD, capture_output=True, check=True).stdout == b"True\n"


@NUMPY
@pytest.mark.parametrize("rows", [0, 1, 31, 32, 40, 160, 161, 330])
def test_padding_is_not_seen(ops: NumpyOps, rows: int) -> None:
    expected = X[:rows] @ Y.T
    product = ops.gemm(X[:rows], Y, trans2=True)
    assert product.shape == expected.shape
    assert product.flags.c_contiguous
    np.testing.assert_allclose(product, expected, rtol=1e-4, atol=1e-5)
    out = np.full(expected.shape, 7, dtype=np.float32)
    assert ops.gemm(X[:rows], Y, out=out, trans2=True) is out
    np.testing.assert_array_equal(out, product)


@NUMPY
def test_products_of_turned_matrices(ops: NumpyOps) -> None:
    for first, second in ((True, False), (True, True), (False, True), (False, False)):
        x, y = X[:8, :6], Y[:8, :6] if first == second else Y[:6, :8].T if first else Y[:6, :8]
        left, right = x.T if first else x, y.T if second else y
        if left.shape[1] == right.shape[0]:
            product = ops.gemm(x, y, trans1=first, trans2=second)
            np.testing.assert_allclose(product, left @ right, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("gflops", "steady", "taken"),
    [
        ((90, 60, 30), {NumpyBlas, NumpyBlocks}, "numpy"),
        ((90, 60, 30), {NumpyBlocks}, "numpy-blocks"),
        ((90, 60, 30), set(), "blis"),
        ((90, 60, 80), {NumpyBlas, NumpyBlocks}, "blis"),
    ],
)
def test_numpy_is_taken_where_it_is_clearly_faster_and_steady(
    monkeypatch: pytest.MonkeyPatch, gflops: tuple[float, float, float], steady: set[type], taken: str
) -> None:
    monkeypatch.setattr(backend, "_gflops", lambda _: gflops)
    monkeypatch.setattr(backend, "keeps_rows", lambda ops: type(ops) in steady)
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
    for ops in (NumpyOps(), NumpyBlas(), NumpyBlocks()):
        with backend.computing_with(ops):
            doc = spacy.load(models.DEFAULT_MODELS["en"], exclude=["senter"])(text)
        read.append([(token.tag_, token.dep_, token.head.i, token.ent_type_, token.lemma_) for token in doc])
    assert read[0] == read[1] == read[2]
