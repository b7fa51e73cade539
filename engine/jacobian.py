"""The Jacobian of one step of the whole state, all layers together."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params
from engine.network import Network, layer_params
from engine.unroll import Tape


def step_jacobian(network: Network, params: Params, tape: Tape, t: int, sample: int = 0) -> Array:
    """Returns ds_t/ds_{t-1} (L*S, L*S) for one sample; the state is (h, c) of layer 0, then of layer 1, ..."""
    L, S, H = network.layers, network.state, network.hidden
    rows = [np.eye(L * S)[None, :, layer * S : (layer + 1) * S].copy() for layer in range(L)]
    scratch = np.empty((1, L * S, H))
    for layer in range(L - 1, -1, -1):
        w, f = layer_params(params, layer), tape.layers[layer].factors[t, :, sample : sample + 1]
        network.cell.prepare(f, rows[layer], scratch)
        if layer:
            rows[layer - 1][..., :H] += rows[layer] @ network.cell.folded(w, f, "W_ih")
        back = rows[layer] @ network.cell.folded(w, f, "W_hh")
        network.cell.highway(f, rows[layer])
        rows[layer][..., :H] = back
    return np.asarray(np.concatenate(rows, axis=-1)[0])
