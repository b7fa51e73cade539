"""The scrubber's heatmap: how far the gradient of one loss reaches back, at each moment of the training."""

from __future__ import annotations

import numpy as np

from engine.arrays import Floats
from engine.phrases import number
from engine.training import LaneView, RunView
from server.figures.base import Figure, Trace, axis
from server.figures.base import figure as framed
from server.figures.bins import bin_starts, centres, largest
from server.figures.scale import LOW, colorbar, heatmap, to_z
from server.figures.training.picture import Picture, Table, token_axis, token_word

MOST_STEPS = 200


def probe(view: RunView, strategy: int, seed: int) -> Picture:
    """Returns the picture of one lane: a column a moment, a row a time step of one held-out piece, full BPTT."""
    lanes = [one for one in view.lanes if one.strategy == strategy and one.seed == seed]
    columns = [moment.probe for lane in lanes for moment in lane.moments if moment.probe.size]
    name = view.lab.strategies[strategy].name
    title = f"The gradient’s reach: {name}"
    norms = np.stack(columns, axis=1) if columns else np.zeros((0, 0))
    return Picture(title, _figure(view, strategy, norms), _sentence(view, strategy, norms), _table(view, lanes))


def _figure(view: RunView, strategy: int, norms: Floats) -> Figure:
    steps = norms.shape[0]
    data: list[Trace] = []
    if norms.size:
        gap = view.lab.tokens / view.lab.evaluations
        marked = np.where(np.isnan(norms), np.inf, norms)
        starts = bin_starts(steps, MOST_STEPS)
        data.append(heatmap(to_z(largest(marked, 0, MOST_STEPS)), x=np.arange(norms.shape[1]) * gap, uid="probe",
                            y=centres(starts, steps), name="gradient", showlegend=False,
                            colorbar=colorbar("‖dL/dh<sub>t</sub>‖")))
    data.append(_edge(view, strategy, steps))
    return framed(data, xaxis=token_axis(view), showlegend=bool(norms.size),
                  yaxis=axis("step t of the piece", range=[-0.5, max(steps, 2) - 0.5], showgrid=False, nticks=6),
                  margin={"l": 62, "r": 76, "t": 40, "b": 44})


def _edge(view: RunView, strategy: int, steps: int) -> Trace:
    """Returns the furthest that a training gradient goes back from the last step; nothing where nothing bounds it."""
    window = view.lab.strategies[strategy].window
    inside = 0 < window < steps
    half = view.lab.tokens / view.lab.evaluations / 2
    y = steps - window - 0.5 if inside else float("nan")
    return {"type": "scatter", "mode": "lines", "name": f"the window’s edge, {window} steps back", "uid": "edge",
            "x": np.array([-half, view.lab.tokens + half]), "y": np.full(2, y), "showlegend": inside,
            "line": {"color": "var(--truncated)", "width": 2.5, "dash": "6px,3px", "simplify": False}}


def reach(norms: Floats) -> int:
    """Returns how many steps back from the last one the gradient is still on the scale, 1e-9 or more."""
    seen = np.flatnonzero(~(norms < LOW))
    return int(norms.size - 1 - seen[0]) if seen.size else 0


def _sentence(view: RunView, strategy: int, norms: Floats) -> str:
    if not norms.size:
        return "No probe has been taken yet."
    steps = norms.shape[0]
    window = view.lab.strategies[strategy].window
    far = min(window, steps - 1) if window else steps - 1
    first, now = float(norms[steps - 1 - far, 0]), float(norms[steps - 1 - far, -1])
    beyond = f"{far} steps back" + (", just beyond the window’s edge," if window and window < steps else "")
    if norms.shape[1] == 1:
        return f"Before training, the gradient of the last loss {beyond} is {number(first)}."
    return f"The gradient of the last loss {beyond} was {number(first)} before training and is {number(now)} now."


def _table(view: RunView, lanes: list[LaneView]) -> Table:
    moments = [moment for lane in lanes for moment in lane.moments if moment.probe.size]
    steps = moments[0].probe.size if moments else 0
    chosen = np.unique(np.linspace(0, max(0, steps - 1), min(steps, 25)).round().astype(np.int64)).tolist()
    rows = tuple((moment.tokens, *(float(moment.probe[t]) for t in chosen)) for moment in moments)
    return Table((token_word(view), *(f"t={t}" for t in chosen)), rows, "Norm of the gradient of the last loss of one "
                 "held-out piece at step t, full BPTT with the state carried, mean over the batch; some of the steps.")
