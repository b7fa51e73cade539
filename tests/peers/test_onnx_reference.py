"""Onnx beside the engine."""

from __future__ import annotations

from tests.peers import onnx_reference
from tests.peers.checks import PeerTests


class TestOnnx(PeerTests):
    peer = onnx_reference
