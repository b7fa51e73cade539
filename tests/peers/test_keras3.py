"""Keras beside the engine."""

from __future__ import annotations

from tests.peers import keras3
from tests.peers.checks import PeerTests


class TestKeras(PeerTests):
    peer = keras3
