"""From a config (and what the caller gave) to everything that the sweeps run on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, Bools, Params, columns, frozen
from engine.cells import CELLS
from engine.config import Config
from engine.given import Given, initial_states, with_given_data, with_given_weights
from engine.initial import draw
from engine.network import Network
from engine.tasks import TASKS, Batch, text
from engine.unroll import Data


@dataclass(frozen=True)
class Experiment:
    """A network with its numbers, and the data it is run on."""

    network: Network
    params: Params
    batch: Batch
    data: Data
    directions: np.random.SeedSequence  # the certificate draws from it


@dataclass(frozen=True)
class Setting:
    """An experiment whose data are still as small as the task made them; `data` lays out some steps of them."""

    network: Network
    params: Params
    batch: Batch
    counts: Bools  # (T,) the steps whose loss counts
    initial: tuple[Array, ...]  # per layer (S, B)
    directions: np.random.SeedSequence

    def data(self, steps: slice) -> Data:
        """Returns some steps as the sweeps take them."""
        batch = self.batch
        return Data(_laid_out(batch.inputs[steps]), _laid_out(batch.targets[steps]), self.counts[steps], self.initial)


def prepare(config: Config, given: Given | None = None) -> Experiment:
    """Returns the experiment of a validated config. Raises InputError as `settle` does."""
    found = settle(config, given)
    return Experiment(found.network, found.params, found.batch, found.data(slice(None)), found.directions)


def settle(config: Config, given: Given | None = None) -> Setting:
    """Returns the setting of a validated config. Weights, data and directions have a stream each, so that
    changing the cell does not change the data.

    Raises InputError where the text, the series or what was given does not fit the config."""
    given = given or Given()
    for_data, for_weights, for_directions = np.random.SeedSequence(config.seed).spawn(3)
    batch = with_given_data(_generate(np.random.default_rng(for_data), config, given), given, config)
    network = network_of(config, batch)
    drawn = draw(network, config, np.random.default_rng(for_weights))
    params = frozen(with_given_weights(drawn, given, network))
    return Setting(network, params, batch, _counts(config, batch), initial_states(given, network, config.batch),
                   for_directions)


def _generate(rng: np.random.Generator, config: Config, given: Given) -> Batch:
    if config.task == "text":
        return text(rng, config, given.vocabulary)
    return TASKS[config.task](rng, config)


def network_of(config: Config, batch: Batch) -> Network:
    """Returns the architecture that a config and its data ask for."""
    symbols, classes = len(batch.vocabulary), len(batch.classes)
    return Network(
        cell=CELLS[config.cell, config.reset_after], layers=config.layers, hidden=config.hidden,
        inputs=symbols or batch.inputs.shape[2], outputs=classes or batch.targets.shape[2],
        embedding=config.embedding if symbols else 0, classify=bool(classes))


def _counts(config: Config, batch: Batch) -> Array:
    """(T,): the steps whose loss counts."""
    if config.loss_at == "every":
        return batch.mask
    last = np.zeros(config.steps, bool)
    last[np.flatnonzero(batch.mask)[-1]] = True
    return last


def _laid_out(x: Array) -> Array:
    """(T, B) symbols or classes as they are; (T, B, D) values -> (T, D, B)."""
    return x if x.ndim == 2 else columns(x)
