"""The ONNX operators by the standard's own reference evaluator, which is forward only, on a random problem."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.engine.peer_answers import Answer, Sizes, data, numbers

CONVENTION, LIBRARY = "onnx", "onnx"
KEYS = [("lstm", True), ("gru", True), ("gru", False), ("rnn", True)]
OPERATORS = {"lstm": ("LSTM", 4), "gru": ("GRU", 3), "rnn": ("RNN", 1)}


def answer(key: tuple[str, bool], z: Sizes, seed: int = 0) -> Answer:
    cell, reset_after = key
    _, gates = OPERATORS[cell]
    weights = numbers(seed, {name: shape for n in range(z.layers) for name, shape in {
        f"{cell}_{n}/W": (1, gates * z.H, z.H if n else z.D), f"{cell}_{n}/R": (1, gates * z.H, z.H),
        f"{cell}_{n}/B": (1, 2 * gates * z.H)}.items()})
    parts = ("initial_h", "initial_c") if cell == "lstm" else ("initial_h",)
    states = numbers(seed + 1, {f"{cell}_{n}/{part}": (1, z.B, z.H) for n in range(z.layers) for part in parts})
    inputs, targets = data(seed, z)
    (h,) = ReferenceEvaluator(_model(key, z, [*weights, *states])).run(None, {"x": inputs, **weights, **states})
    return Answer(LIBRARY, onnx.__version__, CONVENTION, cell, reset_after, inputs, targets, weights, states,
                  np.asarray(h))


def _model(key: tuple[str, bool], z: Sizes, names: list[str]) -> onnx.ModelProto:
    """Returns a chain of the operator, a node a layer: (T, B, D) -> (T, B, H)."""
    cell, reset_after = key
    operator, _ = OPERATORS[cell]
    nodes, x = [], "x"
    for n in range(z.layers):
        states = [f"{cell}_{n}/initial_h", *([f"{cell}_{n}/initial_c"] if cell == "lstm" else [])]
        options = {"linear_before_reset": int(reset_after)} if cell == "gru" else {}
        nodes += [helper.make_node(operator, [x, *(f"{cell}_{n}/{own}" for own in "WRB"), "", *states], [f"Y{n}"],
                                   hidden_size=z.H, **options),
                  helper.make_node("Squeeze", [f"Y{n}", "direction"], [f"h{n}"])]
        x = f"h{n}"
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in ("x", *names)]
    outputs = [helper.make_tensor_value_info(x, TensorProto.DOUBLE, None)]
    one = helper.make_tensor("direction", TensorProto.INT64, [1], [1])
    return helper.make_model(helper.make_graph(nodes, "layers", inputs, outputs, [one]))
