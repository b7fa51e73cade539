"""Flax (linen): `OptimizedLSTMCell`, `LSTMCell`, `GRUCell` and `SimpleCell`, their parameter trees joined by "/".

One Dense a gate and side, kernels transposed: `ii/kernel` (D, H), `hi/kernel` (H, H), `hi/bias` (H), ...
LSTM i, f, g, o with the biases on the hidden side. GRU r, z, n with biases on the input side, and `hn/bias` inside
r * (...): the engine's b_hn. SimpleCell has its one bias on the input side.
"""

from __future__ import annotations

from engine.weights.convention import Convention, Form, Key, Outer, Slot, StateNames

CELLS: dict[str, str] = {"rnn": "SimpleCell", "lstm": "OptimizedLSTMCell", "gru": "GRUCell"}


def _dense(name: str, side: str, gate: str, bias: str = "") -> tuple[Slot, ...]:
    kernel = Slot(f"{name}/kernel", side, gate, "columns")
    return (kernel, Slot(f"{name}/bias", bias, gate, "vector")) if bias else (kernel,)


LSTM = tuple(slot for g in "ifgo" for slot in (*_dense(f"i{g}", "x", g), *_dense(f"h{g}", "h", g, "d")))
GRU = tuple(slot for g in "rzn" for slot in (*_dense(f"i{g}", "x", g, "b"),
                                            *_dense(f"h{g}", "h", g, "d" if g == "n" else "")))


def _path(key: Key, layer: int, layers: int, leaf: str) -> str:
    return f"{CELLS[key[0]]}_{layer}/{leaf}"


FLAX = Convention(
    name="flax",
    title="Flax",
    note="OptimizedLSTMCell, LSTMCell, GRUCell and SimpleCell of flax.linen: one kernel a gate and side, transposed; "
         "the LSTM's biases on the hidden side, the GRU's on the input side beside hn/bias inside r * (...).",
    forms={("rnn", True): Form((*_dense("i", "x", "h", "b"), *_dense("h", "h", "h"))),
           ("lstm", True): Form(LSTM), ("gru", True): Form(GRU)},
    path=_path,
    outer=(Outer("E", r"^(?:.*/)?embedding$", "Embed_0/embedding"),
           Outer("W_hy", r"^(?:.*/)?(?:Dense|readout)[^/]*/kernel$", "Dense_0/kernel", transposed=True),
           Outer("b_y", r"^(?:.*/)?(?:Dense|readout)[^/]*/bias$", "Dense_0/bias")),
    states=StateNames("h", "c"),
)
