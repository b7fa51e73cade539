"""Traces written: the engine's own results as a trace, and any trace's file as bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.errors import refuse
from engine.recorded.reading import recorded
from engine.traces import Analysis, GradientNorms, StateNorms
from engine.weights.npz import write_plain


def trace_of(found: Analysis) -> tuple[dict[str, Any], dict[str, Array]]:
    """Returns the JSON fields and the arrays of an analysis as a trace, under its own plan.

    Its rows are h and c of all layers together, as in the analysis. Raises InputError where it has no credit."""
    credit = found.credit
    if credit is None:
        raise refuse("include", "without credit", "must hold credit to be a trace", "Analyse it with include=credit.")
    T, reach = len(found.plan.cut), found.plan.reach
    names = ["h"] if credit.c is None else ["h", "c"]
    to = np.arange(T)[None, :]
    connected = (to >= reach[credit.loss_steps][:, None]) & (to <= credit.loss_steps[:, None])
    matrices = np.stack([np.asarray(getattr(credit, name)) for name in names])
    blocks = found.truncated.blocks
    norms = np.array([list(blocks.values())])
    return {
        "format": "unrolled-trace", "version": 1, "tool": "unrolled", "framework": "unrolled engine",
        "declared": _declared(found.config), "rows": names, "parameters": list(blocks),
        "batch": int(str(found.config["batch"])), "windows": found.plan.window_starts.tolist(),
        "notes": [found.plan.title], "verified": _verified(found),
    }, {
        "loss": found.loss.per_step, "state": _rows(found.states, names), "grad": _rows(found.truncated, names),
        "losses": credit.loss_steps, "credit": np.where(connected, matrices, 0.0),
        "connected": np.repeat(connected[None].astype(np.uint8), len(names), axis=0),
        "edge": _flags(found.plan.cut, len(names)), "value": _flags(found.plan.reset, len(names)),
        "norm_before": norms, "norm_after": norms,
    }


def write_trace(meta: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Returns a trace's file, after it has been checked as a reader will. Raises InputError for one that is none."""
    text = json.dumps(meta, allow_nan=False).encode()
    recorded(text, arrays)
    return write_plain({"meta": np.frombuffer(text, np.uint8), **arrays})


def _rows(norms: StateNorms | GradientNorms, names: list[str]) -> Array:
    return np.stack([np.asarray(getattr(norms, name)) for name in names])


def _flags(stopped: Array, rows: int) -> Array:
    """(T,) -> (P, T): 0 where it is stopped or where there is no step before, else 1."""
    flags = np.where(stopped, 0, 1).astype(np.uint8)
    flags[0] = 0
    return np.repeat(flags[None], rows, axis=0)


def _declared(config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Returns the style as a trace declares it; none for random cuts, and for a gradient that is let pass."""
    style = config["style"]
    if style == "full" or config["gradient"] == "pass":
        return {"style": "full"}
    if style == "random":
        return None
    numbers = ("k1", "k2") if style == "k1k2" else ("k",)
    return {"style": style, **{name: config[name] for name in numbers}, "value": config["value"]}


def _verified(found: Analysis) -> dict[str, float] | None:
    """Returns the certificate's largest relative error, where it has one."""
    certificate = found.certificate
    if certificate is None or not np.isfinite(certificate.worst):
        return None
    return {"complex-step derivatives": certificate.worst}
