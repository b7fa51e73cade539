"""Real-time recurrent learning: the full gradient computed forward in time (Williams & Zipser 1989).

The influence ds_t/dW_hh is carried along with the state, and no tape is walked back. It costs S times
as much as BPTT and more, so it serves as a second witness where the network is small.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, norm
from engine.backprop import Gradients
from engine.cells import LayerTape
from engine.experiment import Experiment
from engine.jacobian import step_jacobian
from engine.network import layer_params
from engine.traces import Witness
from engine.unroll import Tape

MOST_WORK = 1e8  # multiply-adds
MOST_STEPS = 2000  # T * B: each takes its time, however small the network


def witness(x: Experiment, tape: Tape, gradients: Gradients) -> Witness | None:
    """Returns RTRL's W_hh beside that of full BPTT along a carried tape; None where it would be long, or
    there is more than one layer."""
    network, (T, B) = x.network, tape.losses.shape
    work = T * B * network.state**2 * network.cell.gates * network.hidden**2
    if network.layers > 1 or T * B > MOST_STEPS or work > MOST_WORK:
        return None
    found = sum((_one_sample(x, tape, b) for b in range(B)), np.zeros(network.shapes()["l0.W_hh"])) / B
    full = gradients.blocks["l0.W_hh"]
    size, gap = float(norm(full.ravel(), 0)), float(norm((found - full).ravel(), 0))
    error = gap / size if size > 0 else gap
    return Witness("RTRL (Williams & Zipser 1989)", "l0.W_hh", error)


def _one_sample(x: Experiment, tape: Tape, b: int) -> Array:
    """Returns the sum over losses of dL_s/dW_hh for one sample, by carrying ds_t/dW_hh (S, G, H) forward."""
    network = x.network
    influence = np.zeros((network.state, *network.shapes()["l0.W_hh"]))
    total = np.zeros(network.shapes()["l0.W_hh"])
    for t in range(len(tape.losses)):
        J = step_jacobian(network, x.params, tape, t, b)
        influence = np.tensordot(J, influence, 1) + _immediate(x, tape.layers[0], t, b)
        dh = x.params["W_hy"].T @ tape.dy[t, :, b]
        total += np.tensordot(dh, influence[: network.hidden], 1)
    return total


def _immediate(x: Experiment, tape: LayerTape, t: int, b: int) -> Array:
    """Returns the direct derivative of s_t with respect to W_hh (S, G, H), the state before it held fixed."""
    network, S, H = x.network, x.network.state, x.network.hidden
    w = layer_params(x.params, 0)
    ds = np.eye(S)[:, :, None].copy()
    dA, out = np.empty((network.cell.records * H, S, 1)), np.empty((S, S, 1))
    network.cell.backward(w, tape.factors[t, :, b].reshape(-1, H, 1, 1), ds, dA, out)
    pairs = network.cell.terms(tape.part(slice(t, t + 1), slice(b, b + 1)), dA[None, :, :, 0])["W_hh"]
    return np.concatenate([np.einsum("gs,h->sgh", left[0], right[0, :, 0]) for left, right in pairs], axis=1)
