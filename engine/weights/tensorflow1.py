"""TensorFlow 1: `BasicLSTMCell`, `GRUCell` and `BasicRNNCell` of tf.nn.rnn_cell.

Each kernel stands on [x, h]: (D + H, gates*H). BasicLSTMCell has i, j, f, o, where j is the engine's g, and runs with
sigmoid(f + forget_bias): the forget_bias (1.0 unless chosen) is in no checkpoint, so it is added when importing and
taken away when exporting; gradients do not see it. GRUCell has r, u under `gates` and then the `candidate`, whose
kernel stands on [x, r * h] (reset before the product): h' = u * h + (1 - u) * candidate, so that u is the engine's z.
"""

from __future__ import annotations

from engine.weights.convention import Convention, Form, Key, Outer, Slot, StateNames

CELLS: dict[str, str] = {"rnn": "basic_rnn_cell", "lstm": "basic_lstm_cell", "gru": "gru_cell"}


def _pair(prefix: str, gates: str) -> tuple[Slot, Slot]:
    return Slot(f"{prefix}kernel", "xh", gates, "columns"), Slot(f"{prefix}bias", "b", gates, "vector")


def _path(key: Key, layer: int, layers: int, leaf: str) -> str:
    stack = f"multi_rnn_cell/cell_{layer}/" if layers > 1 else ""
    return f"rnn/{stack}{CELLS[key[0]]}/{leaf}"


TENSORFLOW1 = Convention(
    name="tensorflow1",
    title="TensorFlow 1",
    note="BasicLSTMCell, GRUCell and BasicRNNCell: one kernel (D+H, 4*H), i, j, f, o, forget_bias added when run "
         "and not stored; r, u then the candidate, reset before the product.",
    forms={("rnn", True): Form(_pair("", "h")), ("lstm", True): Form(_pair("", "igfo")),
           ("gru", False): Form((*_pair("gates/", "rz"), *_pair("candidate/", "n")))},
    path=_path,
    outer=(Outer("E", r"^(?:.*/)?embedding$", "embedding"),
           Outer("W_hy", r"^(?:.*/)?softmax_w$", "softmax_w", transposed=True),
           Outer("b_y", r"^(?:.*/)?softmax_b$", "softmax_b")),
    states=StateNames("h", "c"),
    forget_bias=1.0,
    forget_bias_chosen=True,
    refused=((r"(?:^|/)w_[fio]_diag$", "an LSTM with peepholes, which Unrolled does not have"),
             (r"(?:^|/)projection/kernel$", "an LSTM with a projection, which Unrolled does not have")),
)
