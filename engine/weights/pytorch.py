"""PyTorch: `torch.nn.LSTM`, `GRU`, `RNN` (tanh) and their cells, as their documentation states them.

    weight_ih_l[k] (gates*H, D), weight_hh_l[k] (gates*H, H), bias_ih_l[k] and bias_hh_l[k] (gates*H)

LSTM i, f, g, o. GRU r, z, n with n = tanh(W_in x + b_in + r * (W_hn h + b_hn)): there the second bias is a number
of its own; everywhere else only the sum of the two counts, and both have the sum's gradient.
"""

from __future__ import annotations

from engine.weights.convention import GATES, Convention, Form, Key, Outer, Slot, StateNames


def _form(key: Key) -> Form:
    gates = GATES[key]
    return Form((Slot("weight_ih", "x", gates, "rows"), Slot("weight_hh", "h", gates, "rows"),
                 Slot("bias_ih", "b", gates, "vector"), Slot("bias_hh", "d", gates, "vector")))


PYTORCH = Convention(
    name="pytorch",
    title="PyTorch",
    note="torch.nn.LSTM, GRU and RNN: i, f, g, o; r, z, n with b_hn inside r * (...); two biases, of which only "
         "the sum counts elsewhere.",
    forms={key: _form(key) for key in (("rnn", True), ("lstm", True), ("gru", True))},
    path=lambda key, layer, layers, leaf: f"{leaf}_l{layer}",
    pattern=r"^(?:(?P<prefix>.*)/)?(?P<leaf>{leaves})(?:_l(?P<number>[0-9]{{1,3}}))?$",
    outer=(Outer("E", r"(?i)^(?:.*/)?[^/]*emb[^/]*/weight$", "embedding.weight"),
           Outer("W_hy", r"^(?!.*(?i:emb))(?:.+/)?weight$", "readout.weight"),
           Outer("b_y", r"^(?:.+/)?bias$", "readout.bias")),
    states=StateNames("h_0", "c_0", stacked=True),
    refused=((r"_reverse$", "a bidirectional layer, which has no truncated BPTT"),
             (r"(?:^|/)weight_hr_l[0-9]+$", "an LSTM with a projection (proj_size), which Unrolled does not have")),
)
