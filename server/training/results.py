"""A run as JSON and CSV: how it stands, and all its numbers."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import Any

from engine.training import POINT_NAMES, Lab, LaneView, RunView, lab_as_dict
from server.encoding import encode_json
from server.training.runs import Run, described
from server.version import RELEASE

LONGEST_SHOWN = 10_000  # characters of a text, or numbers of a series, that are part of a run's summary
MOMENT_NAMES = ("loss_carry", "loss_reset", "accuracy_carry", "accuracy_reset", "half_life")
COLUMNS = ("lane", "strategy", "seed", "kind", *POINT_NAMES, *MOMENT_NAMES)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def shown_lab(lab: Lab) -> dict[str, Any]:
    """Returns the lab as JSON takes it; a long text or series is left out, and `left_out` says so."""
    found = lab_as_dict(lab)
    sizes = {"text": len(lab.text), "series": sum(map(len, lab.series))}
    left_out = {name: size for name, size in sizes.items() if size > LONGEST_SHOWN}
    empty: dict[str, Any] = {"text": "", "series": []}
    return found | {name: empty[name] for name in left_out} | ({"left_out": left_out} if left_out else {})


def summary(run: Run, processes: int, own: bool) -> dict[str, Any]:
    """Returns how a run stands: its status, its lab, how far it is, what each strategy took, its verdict."""
    lanes = [
        {"lane": lane.name, "strategy": lane.strategy, "seed": lane.seed, "tokens": lane.standing.tokens,
         "seconds": round(lane.standing.seconds, 3), "ended": lane.standing.ended}
        for lane in run.lanes.values()
    ]  # fmt: skip
    return {
        "id": run.id,
        "title": run.title,
        "status": run.status,
        "note": run.note,
        "created": run.created,
        "own": own,
        "last_event": run.last,
        "lab": shown_lab(run.lab),
        **described(run, processes),
        "strategies": [_strategy(run, index) for index in range(len(run.lab.strategies))],
        "lanes": lanes,
        "rates": [{"tokens": tokens, "rate": rate} for tokens, rate in run.rates],
        "verdict": None if run.verdict is None else json.loads(run.verdict),
    }


def _strategy(run: Run, index: int) -> dict[str, Any]:
    seconds = sum(lane.standing.seconds for lane in run.lanes.values() if lane.strategy == index)
    return {
        "name": run.lab.strategies[index].name,
        "seconds": round(seconds, 3),
        "peak_bytes": run.peaks.get(index),
    }


def title_of(lab: Lab) -> str:
    """Returns what a run is called in a list."""
    names = "; ".join(strategy.name for strategy in lab.strategies[:3])
    more = f" and {len(lab.strategies) - 3} more" if len(lab.strategies) > 3 else ""
    return f"{lab.cell.upper()} {lab.hidden}, {lab.task}: {names}{more}"


def as_json(view: RunView) -> bytes:
    """Returns everything: lab, versions, verdict, and of every lane its points and moments."""
    whole = {
        "unrolled": RELEASE,
        "lab": lab_as_dict(view.lab),
        "seeds": list(view.lab.all_seeds),
        "status": view.status,
        "rates": [{"tokens": tokens, "rate": rate} for tokens, rate in view.rates],
        "verdict": view.verdict,
        "lanes": [{"name": view.lab.strategies[lane.strategy].name, **vars(lane)} for lane in view.lanes],
    }
    return encode_json(whole)


def as_csv(view: RunView) -> bytes:
    """Returns a row for each point and each moment; what a row does not have is empty."""
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\r\n")
    table.writeheader()
    for lane in view.lanes:
        name = view.lab.strategies[lane.strategy].name
        whose = {"lane": f"{lane.strategy}.{lane.seed}", "strategy": name, "seed": lane.seed}
        table.writerows({name: _cell(value) for name, value in {**whose, **row}.items()} for row in _rows(lane))
    return buffer.getvalue().encode()


def _rows(lane: LaneView) -> Iterator[dict[str, Any]]:
    for at in range(len(lane.points["tokens"])):
        yield {"kind": "point", **{name: lane.points[name][at].item() for name in POINT_NAMES}}
    for moment in lane.moments:
        numbers = {name: getattr(moment, name) for name in ("tokens", "update", *MOMENT_NAMES)}
        yield {"kind": "moment", **numbers}


def _cell(value: Any) -> Any:
    """Returns a value as a spreadsheet takes it: whole numbers without a point, no text that is a formula."""
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() and abs(value) < 2**53 else repr(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
