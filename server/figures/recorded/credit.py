"""Which loss leads to which step: the recorded credit of a row, with the expected and the found staircase over it."""

from __future__ import annotations

import numpy as np

from engine.arrays import Bools, Floats, Ints
from engine.recorded import Outcome, Reach, Recorded
from engine.recorded.recording import NOWHERE
from server.figures.base import Axis, Figure, Trace, axis, time_axis
from server.figures.base import figure as framed
from server.figures.bins import bin_starts
from server.figures.credit import MOST_ROWS, matrix
from server.figures.recorded.columns import in_steps
from server.figures.scale import colorbar

MARGIN = {"l": 62, "r": 76, "t": 40, "b": 44}
MOST_LABELS = 6


def figure(found: Outcome, reach: Reach, row: str) -> Figure:
    """Returns one row's credit matrix, a line of cells a loss, with both staircases."""
    credit = found.recorded.credit[row]
    norms = np.where(_there(found.recorded, row), credit.h.astype(np.float64), -1.0)  # less than nothing: left blank
    cells = matrix(norms, credit.loss_steps)
    shown = bin_starts(len(credit.loss_steps), MOST_ROWS)
    cells |= {"showlegend": False, "colorbar": colorbar("‖dL<sub>s</sub>/dstate<sub>t</sub>‖")}
    cells["y"] = np.linspace(0, len(credit.loss_steps) - 1, shown.size)
    stairs = [*_expected(found, reach), *_found(found, reach.by_row[row], "found, this state")]
    return _framed(found, reach, [cells, *stairs])


def _there(recorded: Recorded, row: str) -> Bools:
    """Returns for each column whether the row has a state in it."""
    if recorded.there is None:
        return np.ones(recorded.columns, bool)
    here = recorded.there[recorded.about.rows.index(row)]
    return np.asarray(np.logical_or.reduceat(here, np.arange(0, recorded.steps, recorded.stride)))


def staircases(found: Outcome, reach: Reach) -> Figure:
    """Returns the expected staircase and the found one, over all rows, without numbers."""
    return _framed(found, reach, [*_expected(found, reach), *_found(found, reach.found, "found")])


def _framed(found: Outcome, reach: Reach, data: list[Trace]) -> Figure:
    drawn = framed(data, xaxis=time_axis(found, "state step t"), yaxis=_losses(reach.losses), margin=MARGIN)
    return in_steps(drawn, found.recorded.stride)


def _losses(losses: Ints) -> Axis:
    """Returns the axis of the losses: one line each, whatever lies between them."""
    places = np.unique(np.linspace(0, len(losses) - 1, min(len(losses), MOST_LABELS)).round().astype(int))
    return axis("loss step s", range=[-0.5, len(losses) - 0.5], showgrid=False, tickvals=places.tolist(),
                ticktext=[f"{losses[place]:,}" for place in places])


def _expected(found: Outcome, reach: Reach) -> list[Trace]:
    if reach.expected is None:
        return []
    x, y = _corners(reach.expected, found.recorded.stride)
    left = np.full(x.shape, -0.5)
    veil: Trace = {"type": "scatter", "mode": "lines", "name": "should be cut off", "showlegend": False, "uid": "veil",
                   "x": np.concatenate([x, left]), "y": np.concatenate([y, y[::-1]]), "fill": "toself",
                   "fillcolor": "var(--veil)", "line": {"width": 0, "color": "var(--veil)", "simplify": False}}
    line: Trace = {"type": "scatter", "mode": "lines", "name": f"expected: {reach.title}", "uid": "expected",
                   "x": x, "y": y, "line": {
                       "color": "var(--truncated)", "width": 2.5, "dash": "6px,3px", "simplify": False}}
    return [veil, line]


def _found(found: Outcome, steps: Ints, name: str) -> list[Trace]:
    x, y = _corners(steps, found.recorded.stride)
    nowhere = np.repeat(steps == NOWHERE, 2)
    return [{"type": "scatter", "mode": "lines", "name": name, "uid": "found",
             "x": np.where(nowhere, np.nan, x), "y": y, "line": {
                 "color": "var(--full)", "width": 1.75, "dash": "solid", "simplify": False}}]


def _corners(steps: Ints, stride: int) -> tuple[Floats, Floats]:
    """Returns the corners of a staircase: for each loss, the left edge of the earliest step, from below to above."""
    places = np.arange(len(steps), dtype=np.float64)
    y = np.stack([places - 0.5, places + 0.5], axis=1).ravel()
    return np.repeat(steps / stride, 2) - 0.5, y
