"""Haiku beside the engine."""

from __future__ import annotations

from tests.peers import dm_haiku
from tests.peers.checks import PeerTests


class TestHaiku(PeerTests):
    peer = dm_haiku
