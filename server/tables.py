"""The per-step table of an analysis, as CSV: one row a time step."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.traces import Analysis, GradientNorms

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def encode_csv(analysis: Analysis) -> bytes:
    """Returns the table. A cell is empty where there is no value; one that is not finite says nan, inf or -inf."""
    columns = dict(_columns(analysis))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue().encode()


def _columns(analysis: Analysis) -> Iterator[tuple[str, list[Any]]]:
    """Yields the name and the T cells of every column."""
    sequence, plan, carry = analysis.sequence, analysis.plan, analysis.carry_over
    steps = len(sequence.inputs)
    read = np.isin(np.arange(steps), sequence.loss_steps)
    yield "step", list(range(steps))
    yield "input", [_word(label) for label in sequence.inputs]
    yield "target", [_word(label) for label in sequence.targets]
    yield "loss", _where(read, analysis.loss.per_step)
    for name in ("cut", "reset", "reach"):
        yield name, getattr(plan, name).astype(int).tolist()
    yield "norm_h", _numbers(analysis.states.h)
    if analysis.states.c is not None:
        yield "norm_c", _numbers(analysis.states.c)
    for prefix, norms in (("truncated", analysis.truncated), ("full", analysis.full)):
        yield from _gradients(prefix, norms)
    for name in ("distance", "carried", "reset"):
        yield f"carry_over_{name}", _numbers(getattr(carry, name))
    yield "loss_carried", _where(read, carry.loss_carried)
    yield "loss_reset", _where(read, carry.loss_reset)


def _gradients(prefix: str, norms: GradientNorms) -> Iterator[tuple[str, list[Any]]]:
    yield f"{prefix}_dL_dh", _numbers(norms.h)
    if norms.c is not None:
        yield f"{prefix}_dL_dc", _numbers(norms.c)
    for block, values in norms.contributions.items():
        yield f"{prefix}_contribution_{block}", _numbers(values)


def _numbers(values: Any) -> list[Any]:
    return [repr(value) for value in np.asarray(values, dtype=float).tolist()]


def _where(present: Any, values: Any) -> list[Any]:
    return [text if here else "" for here, text in zip(present, _numbers(values), strict=True)]


def _word(text: str) -> str:
    """Returns a label as a spreadsheet may have it: never the start of a formula."""
    return "'" + text if text.startswith(FORMULA) else text
