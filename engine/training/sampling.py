"""Text that the network makes: each symbol drawn from its softmax, and fed back."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params
from engine.network import Network, readout
from engine.training.corpus import Corpus
from engine.unroll import Scan

PRIME = 32  # held-out symbols that are read before the first one is made
CHARACTERS, WORDS = 200, 40  # of a sample


def sample(network: Network, params: Params, corpus: Corpus, seed: tuple[int, ...], dtype: str) -> str:
    """Returns text that goes on from the first held-out symbols; "" where a softmax is not finite."""
    rng, scan = np.random.default_rng(seed), Scan(network, 1, 1, dtype, quick=True)
    state = [np.zeros((network.state, 1), dtype) for _ in range(network.layers)]
    prime = corpus.held[:PRIME].tolist()
    made: list[int] = []
    for place in range(len(prime) + (WORDS if corpus.words else CHARACTERS) - 1):
        symbol = prime[place] if place < len(prime) else made[-1]
        top = scan.run(params, np.array([[symbol]]), state, np.zeros(1, bool))[-1]
        state = [states[1].copy() for states in scan.states]
        if place >= len(prime) - 1:
            p = _softmax(readout(params, top.states[:, : network.hidden])[0, :, 0])
            if not np.isfinite(p).all():
                return ""
            made.append(min(int(np.searchsorted(p.cumsum(), rng.random())), len(p) - 1))
    return corpus.text(np.array(made))


def _softmax(y: Array) -> Array:
    e = np.exp(y.astype(np.float64) - y.max())
    return np.asarray(e / e.sum())
