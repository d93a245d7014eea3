"""`python -m tests.benchmarks.limit [ARTICLES [ROUNDS]]`: how near the networks come to what one core can multiply.

The limit is the speed of large matrix products on one thread, in the same rounds: of float32 by the faster of numpy and
BLIS, of bytes (MatMulInteger) by ONNX Runtime. The network's operations are counted from the shapes that ONNX Runtime's
profile names; spaCy's are known. A share of the limit is the time that a network's products would take at the limit, of
the time that it took, all else included. Run in the environment of the benchmarks: it has onnx.
"""

import json
import math
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from services.extraction.threads import ONE_THREAD

if __name__ == "__main__":
    os.environ |= ONE_THREAD

import numpy as np
import onnxruntime
from thinc.api import NumpyOps

from services.extraction import models
from services.extraction.document import parse
from services.extraction.pipeline import BATCH_ARTICLES, WORDS
from services.extraction.quotation import passages
from services.extraction.reader import network
from services.extraction.reader.words import Words
from tests.benchmarks.reading import PACKAGE, Texts
from tests.benchmarks.rounds import ROUNDS, interleaved, keep, medians, texts

SPACY_FLOP = 2.13e6
"""Floating-point operations that the small English pipeline does for a token, counted over its matrices."""
SIZE, REPEATS = 1024, 20
"""Width of the square matrices whose product is the limit, and how many products a turn has."""
PRODUCTS = dict.fromkeys(("DynamicQuantizeMatMul", "MatMulInteger"), "int8") | dict.fromkeys(
    ("MatMul", "FusedMatMul", "Gemm"), "fp32"
)
"""Products of matrices among the operators of ONNX, with what they multiply."""

Session = onnxruntime.InferenceSession


def operations(profile: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return the multiplications and additions of the products in a profile of ONNX Runtime, by type of number."""
    counted: Counter[str] = Counter()
    for event in profile:
        node = event.get("args", {})
        kind = PRODUCTS.get(node.get("op_name", ""))
        if kind and event["name"].endswith("_kernel_time"):
            (left,), (result,) = (node[side][0].values() for side in ("input_type_shape", "output_type_shape"))
            counted[kind] += 2 * left[-1] * math.prod(result)
    return counted


def int8_product() -> Callable[[], object]:
    """Return the product of bytes, in a graph like that of the network: one matrix is known beforehand."""
    from onnx import TensorProto, helper, numpy_helper  # not in the environment of the project

    known = np.random.default_rng(0).integers(-127, 127, (SIZE, SIZE), dtype=np.int8)
    left = helper.make_tensor_value_info("left", TensorProto.UINT8, [SIZE, SIZE])
    result = helper.make_tensor_value_info("result", TensorProto.INT32, [SIZE, SIZE])
    node = helper.make_node("MatMulInteger", ["left", "known"], ["result"])
    graph = helper.make_graph([node], "limit", [left], [result], [numpy_helper.from_array(known, "known")])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = Session(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    value = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE), dtype=np.uint8)
    return lambda: [session.run(None, {"left": value}) for _ in range(REPEATS)]


def fp32_products() -> dict[str, Callable[[], object]]:
    """Return the product of float32 with numpy and with BLIS."""
    left, right = np.random.default_rng(0).standard_normal((2, SIZE, SIZE), dtype=np.float32)
    blis = NumpyOps()
    return {
        "fp32 numpy": lambda: [left @ right for _ in range(REPEATS)],
        "fp32 BLIS": lambda: [blis.gemm(left, right) for _ in range(REPEATS)],
    }


def counted(articles: Sequence[Words]) -> tuple[Counter[str], Counter[str]]:
    """Return the operations over articles of the encoder, and of encoder and argument head together."""
    sessions: list[Any] = []
    with tempfile.TemporaryDirectory() as place:

        def profiled(graph: bytes, options: onnxruntime.SessionOptions, **settings: Any) -> Any:
            options.enable_profiling = True
            options.profile_file_prefix = f"{place}/{len(sessions)}"
            sessions.append(Session(graph, options, **settings))
            return sessions[-1]

        with mock.patch.object(network.onnxruntime, "InferenceSession", profiled):
            reader = network.Network()
        for words in articles:
            list(reader.read(words))
        encoder, arguments = (operations(json.loads(Path(each.end_profiling()).read_text())) for each in sessions)
    return encoder, encoder + arguments


def networks(number: int) -> tuple[dict[str, Callable[[], object]], dict[str, Counter[str]]]:
    """Return spaCy's pipeline, the encoder's graph and the whole learned reader over articles, and their operations."""
    reader, nlp, syntax = network.Network(), models.load(PACKAGE, WORDS), Texts(number)
    documents = [parse(text, None) for text in texts(number)]
    articles = [
        Words.of(each, passages(each.text, [(block.start, block.end) for block in each.spoken]), reader.wordpieces)
        for each in documents
    ]
    pieces = reader.wordpieces
    windows = [window.encoded(pieces.first, pieces.last) for words in articles for window in words.windows()]
    inputs = [
        {name: np.asarray([value]) for name, value in zip(("pieces", "features", "places"), window, strict=True)}
        for window in windows
    ]
    together = models.together(BATCH_ARTICLES)
    encoder, whole = counted(articles)
    return {
        "spaCy": lambda: list(nlp.pipe(syntax.docs(nlp), batch_size=BATCH_ARTICLES, component_cfg=together)),
        "encoder": lambda: [reader._encoder.run(None, each) for each in inputs],
        "reader": lambda: [list(reader.read(each)) for each in articles],
    }, {
        "spaCy": Counter(fp32=round(SPACY_FLOP * sum(map(len, syntax.docs(nlp))))),
        "encoder": encoder,
        "reader": whole,
    }


def main(number: int = 16, rounds: int = ROUNDS) -> None:
    """Measure, print and keep."""
    turns, work = networks(number)
    seconds = medians(raw := interleaved({**fp32_products(), "int8": int8_product(), **turns}, rounds))
    rate = {name: 2 * SIZE**3 * REPEATS / seconds[name] for name in ("fp32 numpy", "fp32 BLIS", "int8")}
    peak = {"fp32": max(rate["fp32 numpy"], rate["fp32 BLIS"]), "int8": rate["int8"]}
    share = {
        name: sum(each / peak[kind] for kind, each in operations.items()) / seconds[name]
        for name, operations in work.items()
    }
    speed = {name: sum(operations.values()) / seconds[name] / 1e9 for name, operations in work.items()}
    limits = {name: each / 1e9 for name, each in rate.items()}
    results = {"limit_gflops": limits, "gflops": speed, "share_of_limit": share, "operations": work, "seconds": raw}
    keep("limit", results)
    for name, each in limits.items():
        sys.stdout.write(f"limit, {name}: {each:.0f} thousand million operations a second\n")
    for name, each in speed.items():
        sys.stdout.write(f"{name}: {each:.1f}, which is {share[name]:.0%} of the limit of what it multiplies\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
