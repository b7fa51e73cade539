"""One step of each cell by PyTorch's own cells, with the engine's blocks as their weights.

The engine has one bias `b` where PyTorch has two; which part stands in which must not matter, so `b` is
split unevenly. `b_hn`, inside the reset gate's product, is separate in both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call

State = tuple[Tensor, ...]
Params = dict[str, Tensor]


def _own(kind: type[torch.nn.RNNCellBase], p: Params, at: str, x: Tensor, state: object) -> object:
    W_ih, W_hh, b = p[at + "W_ih"], p[at + "W_hh"], p[at + "b"]
    H = W_hh.shape[1]
    split = torch.linspace(-1.0, 2.0, len(b), dtype=b.dtype)
    if kind is torch.nn.GRUCell:
        split[2 * H :] = 0.0
        inside = torch.cat((split[: 2 * H], p[at + "b_hn"]))
    else:
        inside = split
    weights = {"weight_ih": W_ih, "weight_hh": W_hh, "bias_ih": b - split, "bias_hh": inside}
    return functional_call(kind(W_ih.shape[1], H, dtype=b.dtype), weights, (x, state))


def rnn(p: Params, at: str, x: Tensor, state: State) -> State:
    return (_own(torch.nn.RNNCell, p, at, x, state[0]),)


def lstm(p: Params, at: str, x: Tensor, state: State) -> State:
    return _own(torch.nn.LSTMCell, p, at, x, state)


def gru(p: Params, at: str, x: Tensor, state: State) -> State:
    return (_own(torch.nn.GRUCell, p, at, x, state[0]),)


def gru_reset_before(p: Params, at: str, x: Tensor, state: State) -> State:
    """PyTorch has no such cell; this is Cho et al. 2014, in PyTorch's order of gates (r, z, n)."""
    (h,) = state
    W_r, W_z, W_n = p[at + "W_ih"].chunk(3)
    U_r, U_z, U_n = p[at + "W_hh"].chunk(3)
    b_r, b_z, b_n = p[at + "b"].chunk(3)
    r = torch.sigmoid(x @ W_r.T + h @ U_r.T + b_r)
    z = torch.sigmoid(x @ W_z.T + h @ U_z.T + b_z)
    n = torch.tanh(x @ W_n.T + (r * h) @ U_n.T + b_n)
    return ((1 - z) * n + z * h,)


STEPS: dict[str, Callable[[Params, str, Tensor, State], State]] = {
    "rnn": rnn, "lstm": lstm, "gru": gru, "gru_reset_before": gru_reset_before,
}
