"""Other frameworks' conventions at the border: a request's arrays into the engine's blocks, an answer's back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from engine import (
    CONVENTIONS,
    REDUCTIONS,
    Analysis,
    Config,
    Convention,
    Given,
    InputError,
    convention_of,
    export_gradients,
    export_weights,
    import_states,
    import_weights,
    reduction_factor,
)
from engine.arrays import Array
from engine.errors import refuse
from engine.weights.catalogue import form_of, key_of
from server.queries import NATIVE, Query

PLAIN = ("weights", "convention", "cell", "reset_after", "forget_bias", "file", "header", "__metadata__")
"""Fields of a problem that name no tensor."""


def check(query: Query) -> None:
    """Raises InputError where a convention's framework has no cell as the config's."""
    form_of(convention_of(query.convention), key_of(query.config.cell, query.config.reset_after))


def given(query: Query) -> Given:
    """Returns the caller's own arrays in the engine's convention. Raises InputError for what does not fit."""
    check(query)
    arrays, config = dict(query.given), query.config
    if query.convention == NATIVE:
        return Given(**arrays)
    if "weights" in arrays:
        arrays["weights"] = blocks(query.convention, config, arrays["weights"], config.hidden)
        _require_layers(arrays["weights"], config.layers)
    if "initial_state" in arrays:
        with inside("initial_state"):
            arrays["initial_state"] = import_states(
                query.convention, config.cell, arrays["initial_state"], config.hidden, reset_after=config.reset_after
            )
    return Given(**arrays)


def blocks(name: str, config: Config, arrays: Mapping[str, object], hidden: int | None = None) -> dict[str, Array]:
    """Returns the engine's blocks of a framework's whole layers; the config's forget_bias is the cell's, where its
    user chooses it (TensorFlow 1)."""
    added = config.forget_bias if convention_of(name).forget_bias_chosen else None
    with inside("weights"):
        return import_weights(name, config.cell, arrays, hidden, added, reset_after=config.reset_after)


def sizes(config: Config, found: Mapping[str, Array]) -> dict[str, Any]:
    """Returns the options of a config that fits these blocks."""
    out: dict[str, Any] = {"cell": config.cell}
    if config.cell == "gru":
        out["reset_after"] = config.reset_after
    out |= {"hidden": found["l0.W_hh"].shape[1], "layers": _layers(found)}
    return out | ({"embedding": found["E"].shape[1]} if "E" in found else {})


def answered(query: Query, found: Analysis) -> dict[str, Any]:
    """Returns the fields of an analysis that are in the request's convention, and what says so."""
    config = query.config
    steps, batch = len(found.sequence.loss_steps), config.batch
    said: dict[str, Any] = {
        "convention": query.convention,
        "reduction": query.reduction,
        "reduction_factor": reduction_factor(query.reduction, steps, batch),
    }
    if query.convention == NATIVE:
        return said
    which, after = (query.convention, config.cell), config.reset_after
    added = config.forget_bias if convention_of(query.convention).forget_bias_chosen else None
    for field in ("gradients", "gradients_full"):
        gradients = getattr(found, field)
        said[field] = None if gradients is None else export_gradients(*which, gradients, reset_after=after)
    if found.weights is not None:
        said["weights"] = export_weights(*which, found.weights, added, reset_after=after)
    return said


def conventions() -> list[dict[str, Any]]:
    """Returns each convention with its cells, and of each cell every tensor of a layer."""
    return [_described(convention) for convention in CONVENTIONS.values()]


def reductions() -> list[dict[str, str]]:
    """Returns the ways of reducing a loss, in words and as the factor to ours; N loss steps, B samples."""
    factors = {"sum_time_mean_batch": "1", "mean": "1 / N", "sum": "B", "mean_time_sum_batch": "B / N"}
    return [{"name": name, "help": text, "factor": factors[name]} for name, text in REDUCTIONS.items()]


def _described(convention: Convention) -> dict[str, Any]:
    cells = [
        {
            "cell": cell,
            "reset_after": after if cell == "gru" else None,
            "flipped": form.flipped,
            "tensors": [{"name": slot.name, "gates": slot.gates, "axes": slot.axes} for slot in form.slots],
        }
        for (cell, after), form in convention.forms.items()
    ]
    states = [convention.states.h, convention.states.c]
    kept = {"name": convention.name, "title": convention.title, "note": convention.note}
    return kept | {"forget_bias": convention.forget_bias, "states": states, "cells": cells}


def _layers(found: Mapping[str, Array]) -> int:
    return sum(name.endswith(".W_hh") for name in found)


def _require_layers(found: Mapping[str, Array], layers: int) -> None:
    have = _layers(found)
    if have != layers:
        raise refuse("weights", f"layers = {have}", f"the config has layers = {layers}", f"Set layers to {have}.")


@contextmanager
def inside(field: str) -> Iterator[None]:
    """Has a problem with a tensor say in which field of the request, or in which file, the tensor stands."""
    try:
        yield
    except InputError as error:
        named = [
            problem if problem.field in PLAIN else replace(problem, field=f"{field}.{problem.field}")
            for problem in error.problems
        ]
        raise InputError(named) from None
