"""Each library's tests run once a cell that it has."""

from __future__ import annotations

import pytest


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    peer = getattr(metafunc.cls, "peer", None)
    if peer is not None and "key" in metafunc.fixturenames:
        ids = [cell if reset_after else f"{cell}-reset-before" for cell, reset_after in peer.KEYS]
        metafunc.parametrize("key", peer.KEYS, ids=ids)
