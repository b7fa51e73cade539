"""Initial weights, drawn from a seed."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params
from engine.config import Config
from engine.network import Network


def draw(network: Network, config: Config, rng: np.random.Generator) -> Params:
    """Returns every parameter block: uniform in +-1/sqrt(H) (PyTorch's rule), the embedding standard normal.

    `orthogonal` makes each gate's recurrent matrix orthogonal (Saxe et al. 2014); `gain` then
    multiplies W_hh, and `forget_bias` is added to the LSTM's forget gate (Jozefowicz et al. 2015)."""
    H = network.hidden
    bound = 1.0 / np.sqrt(H)
    params: Params = {}
    for name, shape in network.shapes().items():
        block = rng.standard_normal(shape) if name == "E" else rng.uniform(-bound, bound, shape)
        if name.endswith(".W_hh"):
            block = config.gain * (_orthogonal(rng, shape) if config.init == "orthogonal" else block)
        if name.endswith(".b") and network.cell.name == "lstm":
            block[H : 2 * H] += config.forget_bias
        params[name] = block
    return params


def _orthogonal(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Returns gates' H x H matrices, each drawn uniformly from the orthogonal group (Mezzadri 2007)."""
    G, H = shape
    blocks = []
    for _ in range(G // H):
        q, r = np.linalg.qr(rng.standard_normal((H, H)))
        blocks.append(q * np.sign(np.diag(r)))
    return np.concatenate(blocks)
