"""The credit matrix |dL_s/dh_t|, with the plan's reach drawn over it as a staircase."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Floats, Ints
from engine.traces import Analysis
from server.figures.base import Figure, Trace, axis, time_axis
from server.figures.base import figure as framed
from server.figures.bins import bin_starts, centres, largest
from server.figures.scale import colorbar, heatmap, to_z

MOST_ROWS = 300


def figure(analysis: Analysis) -> Figure:
    """Returns the figure; without a credit matrix, only the staircase, over the same axes."""
    data: list[Trace] = []
    steps = np.arange(analysis.plan.reach.shape[0])
    bounds = [-0.5, float(steps[-1]) + 0.5]
    rows = rows_of(analysis)
    if analysis.credit is not None and rows.size:
        data.append(matrix(analysis.credit.h, rows))
    if rows.size:
        half = (float(rows[-1]) - float(rows[0])) / max(1, rows.size - 1) / 2 or 0.5
        bounds = [float(rows[0]) - half, float(rows[-1]) + half]
    data += [veil(analysis), staircase(analysis)]
    return framed(
        data,
        xaxis=time_axis(analysis, "state step t"),
        yaxis=axis("loss step s", range=bounds, showgrid=False, **steps_named(rows)),
        margin={"l": 62, "r": 76, "t": 40, "b": 44},
    )


def rows_of(analysis: Analysis) -> Ints:
    """Returns the loss steps that have a row in the matrix, which may itself come later."""
    if analysis.credit is not None:
        return analysis.credit.loss_steps
    return analysis.row.loss_steps if analysis.row is not None else np.zeros(0, np.int64)


def steps_named(rows: Ints) -> dict[str, Any]:
    """Returns which loss steps the axis names: each where there are few, so that no fraction of a step is named."""
    return {"tickvals": rows.tolist()} if 0 < rows.size <= 6 else {"nticks": 6}


def matrix(credit: Floats, rows: Ints) -> Trace:
    """Returns the heatmap; steps after the loss stay blank, which is not the same as zero."""
    steps = np.arange(credit.shape[1])
    marked = np.where(np.isnan(credit), np.inf, credit)
    shown = largest(largest(np.where(steps[None, :] <= rows[:, None], marked, -1.0), 1), 0, MOST_ROWS)
    z = to_z(shown)
    z[shown < 0] = np.nan
    starts = bin_starts(rows.size, MOST_ROWS)
    y = np.linspace(rows[0], rows[-1], starts.size) if starts.size > 1 else rows[:1].astype(np.float64)
    return heatmap(
        z,
        x=centres(bin_starts(steps.size), steps.size),
        y=y,
        name="credit",
        uid="matrix",
        colorbar=colorbar("‖dL<sub>s</sub>/dh<sub>t</sub>‖"),
    )


def corners(analysis: Analysis) -> tuple[Floats, Floats]:
    """Returns the staircase's corners: for each loss step, the left edge of the earliest step reached."""
    reach = analysis.plan.reach
    steps = np.arange(reach.shape[0], dtype=np.float64)
    y = np.stack([steps - 0.5, steps + 0.5], axis=1).ravel()
    return np.repeat(reach.astype(np.float64), 2) - 0.5, y


def staircase(analysis: Analysis) -> Trace:
    x, y = corners(analysis)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "reach under truncation",
        "x": x,
        "y": y,
        "uid": "reach",
        "line": {"color": "var(--truncated)", "width": 2.5, "dash": "6px,3px", "simplify": False},
    }


def veil(analysis: Analysis) -> Trace:
    """Returns the part that the truncation throws away, veiled."""
    x, y = corners(analysis)
    left = np.full(x.shape, -0.5)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "thrown away",
        "x": np.concatenate([x, left]),
        "showlegend": False,
        "y": np.concatenate([y, y[::-1]]),
        "fill": "toself",
        "fillcolor": "var(--veil)",
        "uid": "veil",
        "line": {"width": 0, "color": "var(--veil)", "simplify": False},
    }
