"""Keras 3: `keras.layers.LSTM`, `GRU` (`reset_after` both ways) and `SimpleRNN`.

    kernel (D, gates*H), recurrent_kernel (H, gates*H), bias (gates*H)

LSTM i, f, c, o, where c is the engine's g. GRU z, r, h: h' = z * h + (1 - z) * candidate, so that z is the engine's.
With reset_after (the default) the bias is (2, 3*H), input side first, and the second one's candidate part stands
inside r * (...). `unit_forget_bias` is an initial value: it is stored, and nothing is added when the layer runs.
"""

from __future__ import annotations

from engine.weights.convention import Convention, Form, Key, Outer, Slot, StateNames

LAYERS: dict[str, str] = {"rnn": "simple_rnn", "lstm": "lstm", "gru": "gru"}


def _form(gates: str, bias: Slot) -> Form:
    return Form((Slot("kernel", "x", gates, "columns"), Slot("recurrent_kernel", "h", gates, "columns"), bias))


def _path(key: Key, layer: int, layers: int, leaf: str) -> str:
    name = LAYERS[key[0]]
    return f"{name}_{layer}/{name}_cell/{leaf}" if layer else f"{name}/{name}_cell/{leaf}"


KERAS = Convention(
    name="keras",
    title="Keras 3",
    note="LSTM, GRU and SimpleRNN: i, f, c, o; z, r, h, with bias (2, 3*H) where reset_after; kernels transposed.",
    forms={
        ("rnn", True): _form("h", Slot("bias", "b", "h", "vector")),
        ("lstm", True): _form("ifgo", Slot("bias", "b", "ifgo", "vector")),
        ("gru", True): _form("zrn", Slot("bias", "bd", "zrn", "columns")),
        ("gru", False): _form("zrn", Slot("bias", "b", "zrn", "vector")),
    },
    path=_path,
    outer=(Outer("E", r"^(?:.*/)?embeddings$", "embedding/embeddings"),
           Outer("W_hy", r"^(?:.*/)?(?:dense|readout)[^/]*/kernel$", "dense/kernel", transposed=True),
           Outer("b_y", r"^(?:.*/)?(?:dense|readout)[^/]*/bias$", "dense/bias")),
    states=StateNames("h", "c"),
    refused=((r"(?:^|/)(?:forward|backward)_[^/]*/", "a bidirectional layer, which has no truncated BPTT"),),
)
