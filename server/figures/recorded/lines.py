"""Lines over the steps of a trace: gradients and states, a line a row, and the losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.arrays import Floats
from engine.recorded import Outcome
from engine.recorded.recording import NO
from engine.recorded.words import short
from server.figures.base import Figure, axis, edges, log_lines, time_axis
from server.figures.base import figure as framed
from server.figures.curves import nothing, straight, upright
from server.figures.recorded.columns import in_steps, plain

# A colour, a dash and a width for each row that is drawn: never told apart by colour alone.
LOOKS = (("var(--full)", "solid", 2.5), ("var(--truncated)", "7px,3px", 2.5), ("var(--value)", "2px,2px", 2.5),
         ("var(--way-output)", "9px,3px,2px,3px", 2), ("var(--way-forget)", "solid", 1.25),
         ("var(--way-input)", "7px,3px", 1.25), ("var(--way-candidate)", "2px,2px", 1.25),
         ("var(--way-readout)", "9px,3px,2px,3px", 1.25))
CUT_DASHES = ("4px,2px", "1px,2px", "8px,2px")
MOST_CUTS = 60
MOST_SHOWN = 1e300  # on a linear axis, so that its ends are numbers


def gradients(found: Outcome) -> Figure:
    """Returns the norm of the gradient that reached each row's state, over the steps, and where which state is cut."""
    drawn = _rows(found, found.recorded.grad, "‖gradient‖, mean over the batch")
    low, high = _ends(drawn)
    for place, (steps, names) in enumerate(_cuts(found).items()):
        mark = {"color": "var(--alarm)", "width": 1.5, "dash": CUT_DASHES[place % len(CUT_DASHES)], "simplify": False}
        x = np.repeat(np.array(steps) - 0.5, 3)
        x[2::3] = np.nan
        y = np.tile([low, high, np.nan], len(steps))
        drawn["data"].append({"type": "scatter", "mode": "lines", "name": f"{', '.join(map(plain, names))} cut",
                              "uid": f"cut{place}", "x": x, "y": y, "line": mark})
    return drawn


def _ends(drawn: Figure) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis, as far as they are numbers."""
    low, high = drawn["layout"]["yaxis"]["range"]
    return 10.0 ** max(low, -307.0), 10.0 ** min(high, 307.0)


def _cuts(found: Outcome) -> dict[tuple[int, ...], list[str]]:
    """Returns steps before which an edge is cut, and the states that are cut just there; none where they are many."""
    edge, names = found.recorded.edge, list(short(found.recorded.about.rows).values())
    out: dict[tuple[int, ...], list[str]] = {}
    for name, flags in zip(names, edge if edge is not None else (), strict=False):
        steps = np.flatnonzero(flags[1:] == NO) + 1
        if 0 < len(steps) <= MOST_CUTS:
            out.setdefault(tuple(int(step) for step in steps), []).append(name)
    return out


def states(found: Outcome) -> Figure:
    """Returns the norm of each row's state, with a line where the states start anew."""
    drawn = _rows(found, found.recorded.state, "‖state‖, mean over the batch")
    low, high = _ends(drawn)
    for column in np.flatnonzero(found.plan.reset)[:60]:
        line = upright("starts anew", (column - 0.5 + 0.5) * found.recorded.stride - 0.5, low, high,
                       line={"color": "var(--alarm)", "width": 1.5, "dash": "4px,2px"})
        shown = any(trace["name"] == "starts anew" for trace in drawn["data"])
        drawn["data"].append({**line, "showlegend": not shown, "uid": f"anew{column}"})
    return drawn


def _rows(found: Outcome, rows: dict[str, Floats], title: str) -> Figure:
    names = short(tuple(rows))
    lines: list[tuple[str, Floats, str, dict[str, Any]]] = [
        (plain(names[row]), values, color, {"width": width, "dash": dash})
        for (row, values), (color, dash, width) in zip(rows.items(), LOOKS, strict=False)]
    drawn = log_lines(found, lines, title)
    drawn["layout"]["annotations"] = nothing([values for _, values, _, _ in lines])
    return in_steps(drawn, found.recorded.stride)


def losses(found: Outcome) -> Figure:
    """Returns the loss at each step that has one, on a linear axis that holds 0."""
    values = found.recorded.loss.per_step
    finite = np.clip(values[np.isfinite(values)], -MOST_SHOWN, MOST_SHOWN)
    low, high = min(0.0, float(finite.min(initial=0.0))), max(1e-300, float(finite.max(initial=0.0)))
    room = 0.06 * (high - low)
    places = np.arange(len(values), dtype=np.float64)
    dots = {"mode": "lines+markers", "marker": {"size": 4, "color": "var(--full)"}} if len(values) <= 400 else {}
    drawn = framed(
        [edges(found, low - room, high + room), straight("loss", places, values, "var(--full)", **dots)],
        xaxis=time_axis(found), yaxis=axis("loss, mean over the batch", range=[low - room, high + room], nticks=6),
        annotations=nothing([values]), showlegend=False)
    return in_steps(drawn, found.recorded.stride)
