"""The engine's answer, and the same problem for the second implementation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine import Analysis, Config, Given, analyze, parse
from tests.parity.reference import Problem

PARTS = {"rnn": ("h",), "lstm": ("h", "c"), "gru": ("h",)}
EVERYTHING = frozenset({"credit", "gradients", "weights", "states", "inputs"})


@dataclass
class Subject:
    """What was asked, what the engine said, and the problem as tensors."""

    config: Config
    given: Given
    found: Analysis
    problem: Problem


def subject(initial: bool = False, mask: bool = False, **options: object) -> Subject:
    """Returns the engine's answer to a config; with random initial states and a random mask where asked."""
    config = parse({"hidden": 5, "batch": 3, "steps": 17, "gain": 1.5, "lag": 4, **options})
    rng = np.random.default_rng(config.seed)
    given = Given(initial_state=_initial(config, rng) if initial else None,
                  mask=_mask(config.steps, rng) if mask else None)
    found = analyze(config, given, EVERYTHING)
    return Subject(config, given, found, _problem(config, given, found))


def _initial(config: Config, rng: np.random.Generator) -> dict[str, np.ndarray]:
    shape = (config.batch, config.hidden)
    return {f"l{layer}.{part}": rng.normal(size=shape)
            for layer in range(config.layers) for part in PARTS[config.cell]}


def _mask(T: int, rng: np.random.Generator) -> np.ndarray:
    mask = rng.random(T) < 0.4
    mask[[3, T - 3]] = True
    mask[T - 2 :] = False
    return mask


def _problem(config: Config, given: Given, found: Analysis) -> Problem:
    zero = np.zeros((config.batch, config.hidden))
    start = given.initial_state or {}
    initial = [tuple(torch.tensor(start.get(f"l{layer}.{part}", zero)) for part in PARTS[config.cell])
               for layer in range(config.layers)]
    before = config.cell == "gru" and not config.reset_after
    return Problem(
        "gru_reset_before" if before else config.cell,
        {name: torch.tensor(block) for name, block in found.weights.items()},
        _sequence(found.arrays["inputs"]), _sequence(found.arrays["targets"]),
        found.sequence.loss_steps.tolist(), initial, config.layers)


def _sequence(values: np.ndarray) -> torch.Tensor:
    """Symbols come as (T, B), values as (T, B, features)."""
    return torch.tensor(values).long() if values.ndim == 2 else torch.tensor(values)


def distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Returns the norm of the difference over the norm; where both are all zero, 0."""
    ours, theirs = np.asarray(ours, float).ravel(), np.asarray(theirs, float).ravel()
    assert ours.shape == theirs.shape
    size = float(np.linalg.norm(theirs))
    gap = float(np.linalg.norm(ours - theirs))
    return gap / size if size else gap
