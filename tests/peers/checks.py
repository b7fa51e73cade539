"""What is asked of every library, live: it agrees, no misreading of it does, and what is pinned still holds."""

from __future__ import annotations

from types import ModuleType

import numpy as np

from tests.engine.peer_answers import PINNED, SMALL, Sizes, errors, load, wrong
from tests.engine.setups import relative

Key = tuple[str, bool]
TOLERANCE = 1e-12
MISREAD = 0.01


class PeerTests:
    """The tests of one library; a subclass names the module in `peer`."""

    peer: ModuleType

    def test_outputs_loss_and_gradients_agree_both_ways(self, key: Key) -> None:
        found = errors(self.peer.answer(key, Sizes()))
        worst = max(found, key=lambda name: found[name])
        print(f"{self.peer.LIBRARY} {key}: worst {found[worst]:.1e} ({worst})")
        assert found[worst] < TOLERANCE, worst

    def test_no_other_order_of_the_gates_agrees(self, key: Key) -> None:
        found = dict(wrong(self.peer.answer(key, Sizes(), seed=3)))
        assert len(found) == {"lstm": 24, "gru": 6, "rnn": 1}[key[0]]
        closest = min(found, key=lambda name: found[name])
        assert found[closest] > MISREAD, closest

    def test_what_is_pinned_is_what_it_says_now(self, key: Key) -> None:
        live = self.peer.answer(key, SMALL)
        pinned = load(PINNED / f"{live.name}.json")
        assert relative(live.outputs, pinned.outputs) < TOLERANCE
        for ours, theirs in ((live.gradients, pinned.gradients), (live.state_gradients, pinned.state_gradients)):
            assert (ours is None) == (theirs is None)
            assert all(relative(ours[name], theirs[name]) < TOLERANCE for name in ours or {})
        assert all(np.array_equal(live.weights[name], pinned.weights[name]) for name in live.weights)
