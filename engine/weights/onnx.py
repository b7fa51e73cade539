"""ONNX: the inputs of the operators `LSTM`, `GRU` (`linear_before_reset` both ways) and `RNN`, one direction.

    W (1, gates*H, D), R (1, gates*H, H), B (1, 2*gates*H) = Wb and Rb end to end

LSTM i, o, f, c, where c is the engine's g. GRU z, r, h: Ht = (1 - z) * candidate + z * H(t-1). `linear_before_reset`
= 1 is the engine's reset_after: only there does Rb's candidate part stand inside r * (...); else only sums count.
The operator has one layer: several layers have their tensors under names of their own, such as `lstm_0/W`.
"""

from __future__ import annotations

from engine.weights.convention import Convention, Form, Key, Outer, Slot, StateNames


def _form(gates: str) -> Form:
    return Form((Slot("W", "x", gates, "rows", leading=True), Slot("R", "h", gates, "rows", leading=True),
                 Slot("B", "bd", gates, "vector", leading=True)))


def _path(key: Key, layer: int, layers: int, leaf: str) -> str:
    return f"{key[0]}_{layer}/{leaf}" if layers > 1 else leaf


ONNX = Convention(
    name="onnx",
    title="ONNX",
    note="The operators LSTM (i, o, f, c), GRU (z, r, h; linear_before_reset is reset_after) and RNN: W, R, and B "
         "with the two biases end to end; one direction.",
    forms={("rnn", True): _form("h"), ("lstm", True): _form("iofg"),
           ("gru", True): _form("zrn"), ("gru", False): _form("zrn")},
    path=_path,
    outer=(Outer("E", r"^E$", "E"), Outer("W_hy", r"^W_hy$", "W_hy"), Outer("b_y", r"^b_y$", "b_y")),
    states=StateNames("initial_h", "initial_c", leading=True),
    refused=((r"(?:^|/)P$", "an LSTM with peepholes, which Unrolled does not have"),),
)
