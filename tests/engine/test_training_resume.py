"""A lane that is stopped anywhere and taken up again goes on bit for bit."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from engine.arrays import Array
from engine.errors import InputError
from engine.training import Lab, Snapshot, parse_lab
from engine.training.corpus import Corpus, corpus_of
from engine.training.lane import Lane

SMALL = {"hidden": 6, "batch": 4, "tokens": 2_000, "seeds": 1, "evaluations": 4}
STRATEGIES = [{"style": "window", "k": 7}, {"style": "window", "k": 7, "value": "reset"},
              {"style": "sliding", "k": 5}, {"style": "k1k2", "k1": 3, "k2": 8}, {"style": "random", "p": 0.1},
              {"style": "window", "k": 7, "order": "shuffled"}, {"style": "window", "k": 7, "frozen": True}]
LABS: dict[str, dict[str, object]] = {
    "adam": {}, "sgd with decay": {"optimiser": "sgd", "decay": 0.5, "rate": 0.1, "clip_by": "element", "clip": 0.01},
    "adagrad, gru": {"optimiser": "adagrad", "cell": "gru", "layers": 2, "dtype": "float64"},
    "sequences": {"task": "copy", "lag": 4, "steps": 15, "update": "sequence"},
    "embedded": {"embedding": 5, "steps": 30},
}


def equal(a: object, b: object) -> bool:
    """Whether two snapshots are the same to the last bit, NaN included."""
    if hasattr(a, "__dataclass_fields__"):
        return type(a) is type(b) and all(equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    return np.array_equal(a, b, equal_nan=True) if isinstance(a, (float, np.ndarray)) else a == b


def killed(lab: Lab, index: int, corpus: Corpus, rng: np.random.Generator) -> tuple[list[Snapshot], dict[str, Array]]:
    """Returns the snapshots and last weights of a lane that is dropped and restored at random updates."""
    out, kept = [], None
    while True:
        lane = Lane(lab, index, 0, corpus, kept)
        for _ in range(int(rng.integers(1, 12))):
            snapshot = next(lane, None)
            if snapshot is None:
                return out, lane.weights()
            out.append(snapshot)
        kept = {name: array.copy() for name, array in lane.checkpoint().items()}
        for _ in range(3):  # what it does after the checkpoint is lost, and must not matter
            next(lane, None)


@pytest.mark.parametrize("options", LABS.values(), ids=LABS)
def test_killed_at_random_updates_and_resumed(options: dict[str, object]) -> None:
    strategies = [s for s in STRATEGIES if "order" not in s or "update" not in options]
    lab = parse_lab({**SMALL, "strategies": strategies, **options})
    corpus, rng = corpus_of(lab), np.random.default_rng(0)
    for index, _ in enumerate(lab.strategies):
        lane = Lane(lab, index, 0, corpus)
        whole = list(lane)
        again, weights = killed(lab, index, corpus, rng)
        assert len(whole) == len(again) > 10
        assert all(equal(a, b) for a, b in zip(whole, again, strict=True))
        assert all(np.array_equal(block, weights[name]) for name, block in lane.weights().items())


def test_a_rate_that_was_changed_is_kept() -> None:
    lab = parse_lab(SMALL)
    lane = Lane(lab, 0, 0, corpus_of(lab))
    next(lane)
    lane.rate = 0.5
    again = Lane(lab, 0, 0, corpus_of(lab), lane.checkpoint())
    assert again.rate == 0.5
    assert next(again).rate == 0.5


def test_another_labs_checkpoint_is_refused() -> None:
    lab, other = parse_lab(SMALL), parse_lab({**SMALL, "hidden": 7})
    with pytest.raises(InputError, match="checkpoint"):
        Lane(other, 0, 0, corpus_of(other), Lane(lab, 0, 0, corpus_of(lab)).checkpoint())
