"""Writes tests/data/peers/*.json anew from the installed libraries: `python -m tests.peers.pin pytorch linen ...`.

Weights, states, inputs and targets are random (seeded); everything else is what the library made of them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from tests.engine.peer_answers import SMALL, errors, save


def pin(module: str) -> None:
    peer = importlib.import_module(f"tests.peers.{module}")
    for key in peer.KEYS:
        answer = peer.answer(key, SMALL)
        path = save(answer)
        print(f"{path.name}: {answer.library} {answer.version}, worst error {max(errors(answer).values()):.1e}")


def main(modules: Sequence[str]) -> None:
    for module in modules:
        pin(module)


if __name__ == "__main__":
    main(sys.argv[1:])
