"""What the evidence says: the files in results/ as tables and sentences, beside PyTorch's figures.

    python -m benchmarks.evidence_answer

writes docs/answer.md's marked parts anew.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engine import Lab, LaneView, MomentView, Verdict, parse_lab, verdict

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("windows", "updates")
PAGE = ROOT / "docs/answer.md"
PYTORCH = {(5, "carry"): 1.744, (5, "reset"): 2.031, (20, "carry"): 1.781, (20, "reset"): 1.870,
           (50, "carry"): 1.878, (50, "reset"): 1.908}  # one seed, nats per character, evaluated as trained
TOLERANCE = 0.03


def path_of(name: str) -> Path:
    """Returns where an experiment's results stand."""
    return ROOT / f"benchmarks/results/shakespeare-{name}.json"


def load(name: str) -> dict[str, Any]:
    """Returns an experiment's results as they were written."""
    found: dict[str, Any] = json.loads(path_of(name).read_text(encoding="utf-8"))
    return found


def lab_of(results: dict[str, Any]) -> Lab:
    """Returns the lab with the seeds that there are; its text is left out, which no sentence needs."""
    seeds = sorted({lane["seed"] for lane in results["lanes"]})
    return parse_lab({**results["lab"], "seeds": max(len(seeds), 1)})


def views(results: dict[str, Any]) -> list[LaneView]:
    """Returns the lanes as the verdict takes them."""
    return [LaneView(lane["strategy"], lane["seed"], {}, tuple(
        MomentView(m["tokens"], m["update"], m["loss_carry"], m["loss_reset"], m["accuracy_carry"],
                   m["accuracy_reset"], "", np.zeros(0), _float(m["half_life"])) for m in lane["moments"]),
        lane["seconds"], 0, lane["ended"]) for lane in results["lanes"]]


def _float(x: float | None) -> float:
    return math.nan if x is None else x


def found_in(results: dict[str, Any]) -> Verdict:
    """Returns the verdict on the results."""
    return verdict(lab_of(results), views(results))


def losses_table() -> str:
    """Returns each strategy's held-out loss, its interval over seeds, and PyTorch's."""
    lab, found = lab_of(load("windows")), found_in(load("windows"))
    rows = ["| window | state | loss | 95 % over seeds | PyTorch, one seed | difference | accuracy |",
            "|---|---|---|---|---|---|---|"]
    for outcome, strategy in zip(found.outcomes, lab.strategies, strict=True):
        theirs = PYTORCH[strategy.k, strategy.value]
        apart = round(outcome.loss - theirs, 3) + 0.0  # no minus zero
        rows.append(f"| {strategy.k} | {strategy.value} | {outcome.loss:.3f} | "
                    f"{outcome.low:.3f} to {outcome.high:.3f} | {theirs:.3f} | {apart:+.3f} | "
                    f"{100 * outcome.accuracy:.1f} % |")
    return "\n".join(rows)


def updates_table() -> str:
    """Returns the losses where all strategies make equally many updates."""
    rows = ["| trained with | loss | 95 % over seeds |", "|---|---|---|"]
    return "\n".join([*rows, *(f"| {each.name} | {each.loss:.3f} | {each.low:.3f} to {each.high:.3f} |"
                               for each in found_in(load("updates")).outcomes)])


def sentences(name: str, kinds: tuple[str, ...]) -> str:
    """Returns what each comparison of these kinds found, as a list."""
    return "\n".join(f"- {each.text}" for each in found_in(load(name)).comparisons if each.kind in kinds)


def both_ways_table() -> str:
    """Returns each strategy evaluated with the state carried and with it reset, whatever it was trained with."""
    results = load("windows")
    lab = lab_of(results)
    rows = ["| trained with | evaluated with the state carried | evaluated with the state reset |", "|---|---|---|"]
    for index, strategy in enumerate(lab.strategies):
        ends = [lane["moments"][-1] for lane in results["lanes"] if lane["strategy"] == index]
        carried, reset = (sum(end[f"loss_{way}"] for end in ends) / len(ends) for way in ("carry", "reset"))
        rows.append(f"| window {strategy.k}, {strategy.value} | {carried:.3f} | {reset:.3f} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "short": partial(sentences, "windows", ("value",)), "losses": losses_table,
    "windows": partial(sentences, "windows", ("window",)), "both ways": both_ways_table,
    "updates table": updates_table, "updates": partial(sentences, "updates", ("value", "window"))}


def written(page: str) -> str:
    """Returns the page with every part between its marks as the results have it now."""
    for name, part in PARTS.items():
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not start or not end:
            raise ValueError(f"the page has no part {name!r}")
        page = f"{before}{start}{part()}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
