"""Does carrying the state, or a longer window, make a difference? On Shakespeare, beside what PyTorch gave.

    python -m benchmarks.evidence --text FILE [--seeds 5] [--processes 2] [--only windows|updates]

trains every lane that benchmarks/results/ does not have yet, writes each there as it ends (so that the program may be
stopped and started again), and prints the verdicts. FILE is Karpathy's tinyshakespeare: 1,115,394 characters, of
which the last 10 % are held out and the rest is read once. There are two experiments: `windows` of 5, 20 and 50 steps,
each carried and reset, with an update after each; and the same number of `updates` for all, one after every 50 steps.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from hashlib import sha256
from math import isfinite
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.evidence_answer import NAMES, load, path_of
from engine import Lab, Strategy, lab_as_dict, validate_lab
from engine.training.corpus import corpus_of
from engine.training.lane import Lane

LONGEST = 50


def evidence_lab(name: str, text: str, seeds: int) -> Lab:
    """Returns the lab of an experiment. The weights are drawn as PyTorch draws them: uniform in +-1/sqrt(H), the
    embedding standard normal, no forget bias; PyTorch's LSTM has two bias vectors, of which ours is one."""
    by_window = tuple(Strategy(k=k, value=value) for k in (5, 20, LONGEST) for value in ("carry", "reset"))
    by_sequence = (Strategy("full"), *(Strategy(k=k, value=value) for k in (5, 25) for value in ("carry", "reset")))
    strategies, steps, update = {"windows": (by_window, 0, "window"),
                                 "updates": (by_sequence, LONGEST, "sequence")}[name]
    return validate_lab(Lab(
        steps=steps, update=update,
        cell="lstm", hidden=128, embedding=64, forget_bias=0.0, text=text, batch=32, held_out=0.1, tokens=1_000_000,
        optimiser="adam", rate=0.002, clip=5.0, clip_by="norm", loss="mean", strategies=strategies, seeds=seeds,
        evaluations=10, dtype="float32"))


def train(lab: Lab, strategy: int, seed: int) -> dict[str, Any]:
    """Returns what one lane came to: its evaluations, and the seconds that it took."""
    start = time.perf_counter()
    moments, tokens, updates, diverged = [], 0, 0, False
    for snapshot in Lane(lab, strategy, seed, corpus_of(lab)):
        tokens, updates, diverged = snapshot.tokens, snapshot.update, snapshot.diverged
        if snapshot.moment is not None:
            m = snapshot.moment
            moments.append({"tokens": m.tokens, "update": m.update, "loss_carry": m.held_out.loss,
                            "loss_reset": m.held_out_reset.loss, "accuracy_carry": m.held_out.accuracy,
                            "accuracy_reset": m.held_out_reset.accuracy,
                            "half_life": m.half_life if isfinite(m.half_life) else None})
    return {"strategy": strategy, "seed": seed, "tokens": tokens, "updates": updates, "moments": moments,
            "seconds": round(time.perf_counter() - start, 2), "ended": "diverged" if diverged else "done"}


def main() -> None:
    """Trains what is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", choices=NAMES)
    given = parser.parse_args()
    text = given.text.read_text(encoding="utf-8")
    for name in [given.only] if given.only else NAMES:
        complete(name, evidence_lab(name, text, given.seeds), given.processes)


def complete(name: str, lab: Lab, processes: int) -> None:
    """Trains the lanes that an experiment's results do not have."""
    results = kept(name, lab)
    have = {(lane["strategy"], lane["seed"]) for lane in results["lanes"]}
    missing = [key for key in lab.lanes if key not in have]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(train, lab, *key) for key in missing]
        for job in as_completed(jobs):
            results["lanes"] = sorted([*results["lanes"], job.result()], key=lambda x: (x["seed"], x["strategy"]))
            save(name, results)
            last = job.result()
            print(f"{lab.strategies[last['strategy']].name}, seed {last['seed']}: {last['seconds']:.0f} s, "
                  f"{last['moments'][-1]}", flush=True)


def kept(name: str, lab: Lab) -> dict[str, Any]:
    """Returns the results so far if they are of this lab and text; a file of another one is refused."""
    head = {"lab": lab_as_dict(replace(lab, text="", seeds=1)), "characters": len(lab.text),
            "sha256": sha256(lab.text.encode()).hexdigest()}
    fresh = {**head, "python": platform.python_version(), "numpy": np.__version__, "lanes": []}
    if not path_of(name).exists():
        return fresh
    found = load(name)
    if any(found[key] != value for key, value in head.items()):
        raise SystemExit(f"{path_of(name)} is of another lab or text; move it away first.")
    return found


def save(name: str, results: dict[str, Any]) -> None:
    """Writes the results whole: a program that is stopped leaves the file before or the file after."""
    path = path_of(name)
    path.parent.mkdir(exist_ok=True)
    lanes = ",\n".join(json.dumps(lane) for lane in results["lanes"])
    head = json.dumps({key: value for key, value in results.items() if key != "lanes"}, indent=1)
    draft = path.with_suffix(".tmp")
    draft.write_text(f'{head[:-2]},\n "lanes": [\n{lanes}\n]}}\n', encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
