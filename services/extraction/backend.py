"""Which library multiplies the matrices of spaCy's networks: the one that is faster on this processor.

Half of spaCy's time goes into products of matrices. thinc, which computes its networks, does them with BLIS; numpy does
them with a BLAS of its own, OpenBLAS in the wheels of PyPI. Each has kernels for some processors and falls back to slow
ones on others (the BLIS wheel does so on AMD's Zen 3 and 4, and is a third as fast there), so both are tried at start.

Both must give a row the same result whatever other rows are computed with it: an article that is read again, in other
company, must come out the same. OpenBLAS has other kernels for small products and for the edges of large ones, so no
product is small here, and where that is not enough, no row lies at an edge.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from thinc.api import NumpyOps, get_current_ops, set_current_ops

log = logging.getLogger(__name__)

LEAST_ROWS = 32
"""Rows that a product has at least. OpenBLAS computes up to 24 rows with other kernels, which round otherwise."""

BLOCK_ROWS, EDGE_ROWS = 160, 16
"""Rows that are computed at once, and empty ones around them, where OpenBLAS may round otherwise: with AVX2 it computes
the first and the last rows of what it takes for one block (up to some 300 rows) with other kernels."""

CLEARLY_FASTER = 1.2
"""How many times as fast numpy must be to be taken: where the two are alike, chance must not choose, as they round
differently, and a reading should be the same after a restart."""

ROWS, WIDTH, ROUNDS = 500, 288, 5
"""The product that is timed, that of a convolution over an article; with each library it takes some milliseconds."""

SHAPES = ((288, 288), (96, 50), (96, 288), (64, 93), (128, 96), (576, 288), (96, 1664))
"""Inner and outer width of products whose rows are compared; those of spaCy's small networks are among them."""

Floats = NDArray[np.float32]


class NumpyBlas(NumpyOps):  # type: ignore[misc]  # thinc's class is compiled, without types
    """thinc's operations with the products done by numpy, of LEAST_ROWS rows at least."""

    def __init__(self) -> None:
        super().__init__(use_blis=False)

    def gemm(
        self, x: Floats, y: Floats, *, out: Floats | None = None, trans1: bool = False, trans2: bool = False
    ) -> Floats:
        """Return the product of two matrices, the first or the second of them turned over."""
        missing = 0 if trans1 else LEAST_ROWS - len(x)
        if missing <= 0:
            return super().gemm(x, y, out=out, trans1=trans1, trans2=trans2)  # type: ignore[no-any-return]
        padded = super().gemm(np.pad(x, ((0, missing), (0, 0))), y, trans2=trans2)[: len(x)]
        if out is None:
            return np.ascontiguousarray(padded)
        out[:] = padded
        return out


class NumpyBlocks(NumpyOps):  # type: ignore[misc]
    """thinc's operations with the products of prediction done by numpy in blocks, whose edges are no rows of them.

    A product is computed turned over, so that a row's neighbours lie along the kernels' vectors, and not beside them.
    """

    def __init__(self) -> None:
        super().__init__(use_blis=False)

    def gemm(
        self, x: Floats, y: Floats, *, out: Floats | None = None, trans1: bool = False, trans2: bool = False
    ) -> Floats:
        """Return the product of two matrices, the first or the second of them turned over."""
        if trans1:  # of training alone
            return super().gemm(x, y, out=out, trans1=trans1, trans2=trans2)  # type: ignore[no-any-return]
        turned = y if trans2 else y.T
        product = np.empty((len(x), len(turned)), dtype=np.float32) if out is None else out
        block = np.zeros((BLOCK_ROWS + 2 * EDGE_ROWS, x.shape[1]), dtype=np.float32)
        for start in range(0, len(x), BLOCK_ROWS):
            rows = x[start : start + BLOCK_ROWS]
            end = EDGE_ROWS + len(rows)
            block[EDGE_ROWS:end] = rows
            whole = -(-(end + EDGE_ROWS) // EDGE_ROWS) * EDGE_ROWS
            product[start : start + len(rows)] = (turned @ block[:whole].T)[:, EDGE_ROWS:end].T
        return product


@dataclass(frozen=True, slots=True)
class Backend:
    """What the networks are computed with."""

    name: str
    """"blis", "numpy" or "numpy-blocks"."""
    ops: NumpyOps
    gflops: float
    """Speed of its products on one thread, in thousand million floating-point operations a second."""


@cache
def fastest() -> Backend:
    """Return the backend for this machine. Tried once a process, which takes some tens of milliseconds."""
    candidates = {"numpy": NumpyBlas(), "numpy-blocks": NumpyBlocks(), "blis": NumpyOps()}
    speed = dict(zip(candidates, _gflops(list(candidates.values())), strict=True))
    name = next(
        name for name, ops in candidates.items() if name == "blis" or _is_better(speed[name], speed["blis"], ops)
    )
    figures = ", ".join(f"{each} {gflops:.0f}" for each, gflops in speed.items())
    log.info("matrices are multiplied by %s (GFLOP/s: %s)", name, figures)
    return Backend(name, candidates[name], speed[name])


def _is_better(gflops: float, of_blis: float, ops: NumpyOps) -> bool:
    return gflops > CLEARLY_FASTER * of_blis and keeps_rows(ops)


@contextmanager
def computing_with(ops: NumpyOps) -> Iterator[None]:
    """Let networks that are made meanwhile be computed with `ops`, for as long as they live."""
    usual = get_current_ops()
    set_current_ops(ops)
    try:
        yield
    finally:
        set_current_ops(usual)


def keeps_rows(ops: NumpyOps) -> bool:
    """Whether a row of a product is the same to the last bit, whatever other rows are computed with it."""
    numbers = np.random.default_rng(0)
    for inner, outer in SHAPES:
        x = numbers.standard_normal((1200, inner), dtype=np.float32)
        y = numbers.standard_normal((outer, inner), dtype=np.float32)
        whole = ops.gemm(x, y, trans2=True)
        for start, end in ((0, 1), (0, 5), (3, 20), (7, 31), (1, 34), (5, 70), (50, 190), (1, 500), (13, 1100)):
            if not np.array_equal(ops.gemm(np.ascontiguousarray(x[start:end]), y, trans2=True), whole[start:end]):
                return False
    return True


def _gflops(candidates: list[NumpyOps]) -> list[float]:
    """Return the best speed of each; in turns, so that what else the machine does falls on all alike."""
    numbers = np.random.default_rng(0)
    x = numbers.standard_normal((ROWS, WIDTH), dtype=np.float32)
    y = numbers.standard_normal((WIDTH, WIDTH), dtype=np.float32)
    seconds = [[_seconds(ops, x, y) for ops in candidates] for _ in range(ROUNDS + 1)][1:]  # the first warms up
    return [2 * ROWS * WIDTH * WIDTH / min(column) / 1e9 for column in zip(*seconds, strict=True)]


def _seconds(ops: NumpyOps, x: Floats, y: Floats) -> float:
    started = time.perf_counter()
    ops.gemm(x, y, trans2=True)
    return time.perf_counter() - started
