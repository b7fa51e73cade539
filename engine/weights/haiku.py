"""Haiku: `hk.LSTM` and `hk.GRU`, their parameters joined by "/".

    lstm/linear/w (D + H, 4*H), lstm/linear/b (4*H);    gru/w_i (D, 3*H), gru/w_h (H, 3*H), gru/b (3*H)

LSTM i, g, f, o on [x, h], with sigmoid(f + 1): that 1 is fixed and not stored. GRU z, r, a, reset before the product,
and h' = (1 - z) * h + z * a: its z is one minus the engine's, and 1 - sigmoid(a) = sigmoid(-a), so its rows change
sign, in weights and in gradients. hk.VanillaRNN is a ReLU network, which is none of the engine's cells.
"""

from __future__ import annotations

from engine.weights.convention import Convention, Form, Key, Outer, Slot, StateNames


def _path(key: Key, layer: int, layers: int, leaf: str) -> str:
    return f"{key[0]}_{layer}/{leaf}" if layer else f"{key[0]}/{leaf}"


HAIKU = Convention(
    name="haiku",
    title="Haiku",
    note="hk.LSTM: i, g, f, o with sigmoid(f + 1), the 1 not stored. hk.GRU: z, r, a, reset before the product, "
         "h' = (1 - z) * h + z * a, so z is flipped.",
    forms={
        ("lstm", True): Form((Slot("linear/w", "xh", "igfo", "columns"), Slot("linear/b", "b", "igfo", "vector"))),
        ("gru", False): Form((Slot("w_i", "x", "zrn", "columns"), Slot("w_h", "h", "zrn", "columns"),
                              Slot("b", "b", "zrn", "vector")), flipped="z"),
    },
    path=_path,
    outer=(Outer("E", r"^(?:.*/)?embeddings$", "embed/embeddings"),
           Outer("W_hy", r"^(?:linear(?:_[0-9]+)?|readout)/w$", "linear/w", transposed=True),
           Outer("b_y", r"^(?:linear(?:_[0-9]+)?|readout)/b$", "linear/b")),
    states=StateNames("hidden", "cell"),
    forget_bias=1.0,
    lacking={"rnn": "Haiku's VanillaRNN is a ReLU network, and Unrolled's rnn is a tanh network"},
)
