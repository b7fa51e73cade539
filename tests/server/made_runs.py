"""Runs made by hand, for pictures and report: as they begin, half-way, at their end, diverged, of values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.arrays import Floats
from engine.training import Comparison, Lab, LaneView, MomentView, Outcome, RunView, Strategy, Verdict

STRATEGIES = (Strategy(k=5), Strategy(k=5, value="reset"), Strategy(style="full"))
LAB = Lab(tokens=20_000, evaluations=10, seeds=2, strategies=STRATEGIES, steps=40)
PIECE = 30  # steps of the probe


def lane(lab: Lab, strategy: int, seed: int, share: float = 1.0, ended: str = "done") -> LaneView:
    """Returns a lane that has learned for a share of its tokens: the loss falls, the gradient reaches further."""
    updates = round(600 * share)
    tokens = np.arange(1, updates + 1) * lab.tokens / 600
    worse = 0.3 * strategy + 0.02 * (seed - lab.seed)
    loss = 1.6 + worse + 2.4 * np.exp(-tokens / lab.tokens * 5)
    norm = 0.5 + 6 * np.exp(-tokens / lab.tokens * 8)
    points = {"tokens": tokens, "update": np.arange(1.0, updates + 1), "loss": loss, "accuracy": 1 - loss / 5,
              "norm": norm, "clipped": (norm > 5).astype(np.float64), "rate": np.full(updates, lab.rate),
              "seconds": np.full(updates, 0.01 * (strategy + 1))}
    count = int(lab.evaluations * share) + 1
    return LaneView(strategy, seed, points, tuple(moment(lab, i, worse) for i in range(count)),
                    0.01 * (strategy + 1) * updates, (strategy + 1) * 2**25, ended)


def moment(lab: Lab, index: int, worse: float) -> MomentView:
    done = index / lab.evaluations
    loss = 1.7 + worse + 2.4 * float(np.exp(-done * 5))
    return MomentView(round(done * lab.tokens), round(600 * done), loss, loss + 0.2, 1 - loss / 5, 0.9 - loss / 5,
                      f"<b>the {index}</b> & then", probe(2 + 8 * done), 2 + 8 * done)


def probe(half_life: float) -> Floats:
    return 0.3 * 0.5 ** (np.arange(PIECE)[::-1] / half_life)


def run(lab: Lab = LAB, share: float = 1.0, status: str = "done") -> RunView:
    """Returns a run whose lanes have all come equally far."""
    ended = "done" if status == "done" else ""
    lanes = tuple(lane(lab, index, seed, share, ended) for index, seed in lab.lanes)
    return RunView(lab, status, lanes, verdict(lab) if share > 0 else None)


def diverged() -> RunView:
    """Returns a run in which one strategy explodes to infinity."""
    found = run(share=0.5, status="running")
    lost = found.lanes[1]
    points = {**lost.points, "loss": lost.points["loss"].copy(), "norm": lost.points["norm"].copy()}
    points["loss"][-3:] = [1e6, np.inf, np.nan]
    points["norm"][-3:] = [1e30, np.inf, np.nan]
    last = replace(lost.moments[-1], loss_carry=np.inf, loss_reset=np.nan, half_life=np.nan,
                   probe=np.where(np.arange(PIECE) < 4, np.nan, np.inf))
    lanes = (found.lanes[0], replace(lost, points=points, moments=(*lost.moments[:-1], last), ended="diverged"),
             *found.lanes[2:])
    return replace(found, lanes=lanes)


def values() -> RunView:
    """Returns a run that predicts values, so that there is no accuracy."""
    lab = replace(LAB, task="adding", strategies=(Strategy(style="full"), Strategy(style="random", p=0.1)))
    found = run(lab)
    lanes = tuple(replace(one, moments=tuple(replace(m, accuracy_carry=np.nan, accuracy_reset=np.nan, sample="")
                                             for m in one.moments)) for one in found.lanes)
    return replace(found, lanes=lanes)


def verdict(lab: Lab) -> Verdict:
    """Returns a verdict with the numbers that these lanes have."""
    outcomes = tuple(Outcome(i, s.name, tuple(lab.all_seeds), (1.7 + 0.3 * i, 1.72 + 0.3 * i), 1.71 + 0.3 * i,
                             1.7 + 0.3 * i, 1.72 + 0.3 * i, 0.6, (), (), 12.0, 2**25)
                     for i, s in enumerate(lab.strategies))
    text = "With num_steps 5, carrying the state lowers the loss by 0.300 nats per character (95 %: 0.290 to 0.310)."
    found = Comparison("value", 1, 0, tuple(lab.all_seeds), (0.3, 0.3), 0.3, 0.29, 0.31, "better", text)
    return Verdict("nats per character", outcomes, (found,), text, ("The interval is a bootstrap over 2 seeds.",))


BEGUN = RunView(LAB, "running", tuple(lane(LAB, i, s, 0.0, "") for i, s in LAB.lanes), None)
EMPTY = RunView(LAB, "queued", (), None)
RUNS = {"empty": EMPTY, "begun": BEGUN, "half-way": run(share=0.5, status="running"), "done": run(),
        "diverged": diverged(), "values": values()}
