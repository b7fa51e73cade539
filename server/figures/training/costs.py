"""What each strategy costs: time for a token, and the most memory that its process held."""

from __future__ import annotations

import math

import numpy as np

from engine.arrays import Floats
from engine.phrases import number
from engine.training import RunView
from server.figures.base import Axis, Figure, Trace, axis
from server.figures.base import figure as framed
from server.figures.training.picture import Picture, Table, look, names, token_word
from server.figures.training.series import lanes_of

MEBIBYTE = 2**20
LONGEST_NAME = 30


def costs(view: RunView) -> Picture:
    """Returns two rows of bars: microseconds a token, and peak memory."""
    strategies = range(len(view.lab.strategies))
    time = np.array([_time(view, index) for index in strategies])
    memory = np.array([_memory(view, index) for index in strategies])
    return Picture("What each strategy costs", _figure(view, time, memory), _sentence(view, time, memory),
                   _table(view, time, memory))


def _time(view: RunView, strategy: int) -> float:
    """Returns microseconds a token over all lanes of a strategy; NaN before there are any."""
    lanes = [lane for lane in lanes_of(view, strategy) if lane.points["tokens"].size]
    tokens = sum(float(lane.points["tokens"][-1]) for lane in lanes)
    return 1e6 * sum(lane.seconds for lane in lanes) / tokens if tokens else math.nan


def _memory(view: RunView, strategy: int) -> float:
    most = max((lane.peak_bytes for lane in lanes_of(view, strategy)), default=0)
    return most / MEBIBYTE if most else math.nan


def _figure(view: RunView, time: Floats, memory: Floats) -> Figure:
    count = len(time)
    rows = np.arange(count)[::-1].astype(np.float64)
    data: list[Trace] = []
    for index, row in enumerate(rows):
        data += [_bar(index, "x", time[index], row), _bar(index, "x2", memory[index], row)]
    shared = {"range": [-0.55, count - 0.2], "showgrid": False, "showticklabels": False, "tickvals": []}
    labels = [{"text": _short(name), "x": 0, "xref": "paper", "xanchor": "left", "y": row + 0.42, "yref": "y",
               "yanchor": "middle", "showarrow": False, "font": {"color": "var(--ink)"}}
              for name, row in zip(names(view), rows, strict=True)]
    word = token_word(view).removesuffix("s")
    return framed(data, xaxis=_axis(f"µs a {word}", time, [0.0, 0.46], "y"),
                  xaxis2=_axis("peak memory, MiB", memory, [0.54, 1.0], "y2"),
                  yaxis=axis(None, **shared), yaxis2=axis(None, **{**shared, "anchor": "x2"}),
                  annotations=labels, showlegend=False, margin={"l": 14, "r": 14, "t": 12, "b": 48})


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _bar(strategy: int, x: str, value: float, row: float) -> Trace:
    """Returns a thick line from zero; none where the value is not known."""
    color, _ = look(strategy)
    return {"type": "scatter", "mode": "lines", "name": f"{x}{strategy}", "uid": f"{x}{strategy}", "xaxis": x,
            "yaxis": x.replace("x", "y"), "x": np.array([0.0 if math.isfinite(value) else math.nan, value]),
            "y": np.array([row, row]), "showlegend": False,
            "line": {"color": color, "width": 9, "dash": "solid", "simplify": False}}


def _axis(title: str, values: Floats, domain: list[float], anchor: str) -> Axis:
    finite = values[np.isfinite(values)]
    most = float(finite.max()) if finite.size else 1.0
    scale = 10.0 ** math.floor(math.log10(most)) if most > 0 else 1.0
    top = next(digit * scale for digit in (1, 2, 5, 10) if digit * scale >= most)
    return axis(title, domain=domain, anchor=anchor, range=[0, top * 1.04], nticks=3)


def _sentence(view: RunView, time: Floats, memory: Floats) -> str:
    word = token_word(view).removesuffix("s")
    known = sorted((float(value), name) for value, name in zip(time, names(view), strict=True) if math.isfinite(value))
    if not known:
        return "Nothing has been measured yet."
    told = f"{known[-1][1]} takes {number(known[-1][0])} µs a {word}"
    if len(known) > 1:
        ratio = known[-1][0] / known[0][0]
        told += f", {f'{number(ratio)} times' if ratio >= 1.05 else 'about as much as'} {known[0][1]}"
    held = sorted((float(value), name) for value, name in zip(memory, names(view), strict=True) if math.isfinite(value))
    return f"{told}. {held[-1][1]} holds the most memory, {number(held[-1][0])} MiB." if held else f"{told}."


def _table(view: RunView, time: Floats, memory: Floats) -> Table:
    rows = []
    for index, name in enumerate(names(view)):
        lanes = lanes_of(view, index)
        tokens = sum(int(lane.points["tokens"][-1]) for lane in lanes if lane.points["tokens"].size)
        rows.append((name, tokens, sum(lane.seconds for lane in lanes), float(time[index]), float(memory[index])))
    columns = ("strategy", f"{token_word(view)}, all seeds", "seconds, all seeds",
               f"µs a {token_word(view).removesuffix('s')}", "peak MiB")
    return Table(columns, tuple(rows), "Measured where it was trained; not a number where it was not measured.")
