"""A run as one HTML file: it opens from a disk, with no network, and everything that it shows is in it."""

from __future__ import annotations

import platform
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment
from markupsafe import Markup

from engine.phrases import number
from engine.training import LAB_OPTIONS, LaneView, RunView
from server import paths
from server.encoding import encode_json
from server.figures.training import Picture, draw_all
from server.rendering import environment
from server.version import RELEASE, fingerprint

LONGEST_SHOWN = 2_000  # characters of the run's own text, or of its series, that stand in the report


def report(view: RunView, title: str = "") -> str:
    """Returns the whole page. Nothing in it is loaded from anywhere; all that a person wrote is escaped."""
    pictures = draw_all(view)
    drawn = encode_json({name: picture.figure for name, picture in pictures.items()}).decode()
    return _templates().get_template("report.html").render(
        title=title or "A training run",
        view=view,
        strategies=[strategy.name for strategy in view.lab.strategies],
        seeds=list(view.lab.all_seeds),
        options=options(view),
        versions=versions(),
        pictures={name: _shown(picture) for name, picture in pictures.items()},
        figures=_inert(drawn),
        samples=samples(view),
        number=number,
        digits=digits,
        tokens=Markup(paths.TOKENS.read_text(encoding="utf-8")),  # noqa: S704  a file of ours
        plotly=Markup(paths.PLOTLY.read_text(encoding="utf-8").replace("</script", "<\\/script")),  # noqa: S704  Plotly's
    )


@cache
def _templates() -> Environment:
    return environment()


def _inert(text: str) -> Markup:
    """Returns JSON as it may stand inside a script element."""
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704  no < is left


def options(view: RunView) -> list[tuple[str, str, str]]:
    """Returns every option that applies: its name, its value, and what it means."""
    return [(option.name, _value(getattr(view.lab, option.name)), option.help)
            for option in LAB_OPTIONS if option.applies(view.lab)]


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        value = "; ".join(", ".join(map(repr, column)) for column in value) or "the built-in one"
    text = str(value) if value != "" else "the built-in one"
    left = len(text) - LONGEST_SHOWN
    return text if left <= 0 else f"{text[:LONGEST_SHOWN]} … and {left:,} characters more"


def versions() -> dict[str, str]:
    """Returns what the numbers depend on beside the options."""
    return {"Unrolled": RELEASE, "fingerprint of the code": fingerprint(), "NumPy": np.__version__,
            "Python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}


def _shown(picture: Picture) -> dict[str, Any]:
    """Returns a picture's words and its table, each cell as text."""
    rows = [[_cell(value) for value in row] for row in picture.table.rows]
    return {"title": picture.title, "sentence": picture.sentence, "columns": picture.table.columns, "rows": rows,
            "note": picture.table.note}


def _cell(value: str | float | int) -> str:
    return f"{value:,}" if isinstance(value, int) else value if isinstance(value, str) else number(value)


def digits(loss: float) -> str:
    """Returns a loss with as many decimals as another beside it, so that they can be compared."""
    return f"{loss:.4f}" if np.isfinite(loss) else number(loss)


def samples(view: RunView) -> list[tuple[str, int, int, str]]:
    """Returns what each lane wrote at its last moment: strategy, seed, tokens, text."""
    return [(view.lab.strategies[lane.strategy].name, lane.seed, lane.moments[-1].tokens, lane.moments[-1].sample)
            for lane in view.lanes if _wrote(lane)]


def _wrote(lane: LaneView) -> bool:
    return bool(lane.moments) and lane.moments[-1].sample != ""
