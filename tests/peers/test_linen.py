"""Flax beside the engine."""

from __future__ import annotations

from flax import linen as flax_linen

from tests.engine.peer_answers import Sizes, errors
from tests.peers import linen
from tests.peers.checks import TOLERANCE, PeerTests


class TestFlax(PeerTests):
    peer = linen


def test_both_lstm_cells_are_one_convention() -> None:
    found = errors(linen.answer(("lstm", True), Sizes(), kind=flax_linen.LSTMCell))
    assert max(found.values()) < TOLERANCE
