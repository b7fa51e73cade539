"""A long sequence taken in parts gives what the plain sweep gives, in memory that does not grow with it."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest

from engine import Config, InputError, analyze, parse
from engine.analysis import _Run
from engine.arrays import quiet_single_thread
from engine.backprop import Gradients
from engine.credit import credit
from engine.long.again import backwards, later
from engine.long.analysis import analyze_long
from engine.long.certify import certify_reference
from engine.long.closeup import MOST_STEPS, close_up
from engine.long.cost import estimate_long
from engine.long.reference import Side, long_reference
from engine.truncation import plan_of, reach
from tests.engine.setups import CELL_OPTIONS

SMALL = 20_000  # bytes: segments of few steps, and fewer borders than segments
CELLS: Any = CELL_OPTIONS
STYLES: dict[str, dict[str, Any]] = {
    "full": {"style": "full"}, "window": {"style": "window", "k": 37}, "window, reset": {"k": 50, "value": "reset"},
    "sliding": {"style": "sliding", "k": 21}, "sliding, reset": {"style": "sliding", "k": 9, "value": "reset"},
    "k1k2": {"style": "k1k2", "k1": 13, "k2": 45}, "random": {"style": "random", "p": 0.03},
    "passed": {"k": 40, "gradient": "pass"}, "passed, reset": {"k": 70, "gradient": "pass", "value": "reset"},
}


def plain(config: Config) -> _Run:
    with quiet_single_thread():
        return _Run(config, None, None)


def near(found: Any, known: Any, what: str) -> None:
    size = float(np.abs(known).max(initial=0.0))
    assert np.abs(found - known).max(initial=0.0) <= 1e-12 * size, what


def same_gradient(side: Side, known: Gradients) -> None:
    assert side.sweep.blocks.keys() == known.blocks.keys()
    for name, block in known.blocks.items():
        near(side.sweep.blocks[name], block, name)
    for mine, theirs in zip(side.sweep.initial, known.initial, strict=True):
        near(mine, theirs, "initial state")


@pytest.mark.parametrize("cell", CELL_OPTIONS)
@pytest.mark.parametrize(("layers", "batch"), [(1, 3), (2, 1)])
@pytest.mark.parametrize("style", STYLES)
def test_gradients_are_those_of_the_plain_sweep(cell: str, layers: int, batch: int, style: str) -> None:
    config = parse({"task": "copy", "steps": 150, "lag": 5, "hidden": 6, "layers": layers, "batch": batch,
                    **CELLS[cell], **STYLES[style]})
    kept, known = long_reference(config, memory=SMALL // 2), plain(config)
    same_gradient(kept.truncated, known.truncated)
    same_gradient(kept.full, known.kept.gradients)
    assert (kept.reach == reach(plan_of(config))).all()
    assert kept.full.borders.stride > 1, "this test is to recompute from borders that are apart"


@pytest.mark.parametrize("options", [
    {"cell": "lstm", "batch": 3, "k": 100}, {"cell": "gru", "layers": 2, "style": "sliding", "k": 12, "batch": 1},
    {"cell": "rnn", "style": "full", "batch": 3, "task": "series"}], ids=lambda options: options["cell"])
def test_and_so_they_are_over_two_thousand_steps(options: dict[str, Any]) -> None:
    config = parse({"steps": 2000, "hidden": 8, "task": "text", **options})
    kept, known = long_reference(config, memory=2_000_000), plain(config)
    same_gradient(kept.truncated, known.truncated)
    same_gradient(kept.full, known.kept.gradients)


def test_the_gradients_norm_at_every_step_and_the_losses_too() -> None:
    config = parse({"task": "copy", "steps": 300, "lag": 3, "hidden": 6, "batch": 2, "k": 40})
    kept, known = long_reference(config, memory=SMALL), analyze(config, certify=False)
    for mine, theirs in ((kept.truncated, known.truncated), (kept.full, known.full)):
        near(mine.norms.h, theirs.h, "h")
        near(mine.norms.c, theirs.c, "c")
    near(kept.truncated.ahead.losses[kept.x.counts], known.loss.per_step[kept.x.counts], "losses")
    near(kept.truncated.ahead.states.h, known.states.h, "states")


RANGES = [range(0, 60), range(121, 200), range(193, 200), range(64, 65)]


@pytest.mark.parametrize(("cell", "style"), [*(("lstm", style) for style in STYLES), ("gru-reset-before", "k1k2")])
def test_a_close_up_is_that_part_of_the_whole_analysis(cell: str, style: str) -> None:
    config = parse({"task": "text", "steps": 200, "hidden": 6, "batch": 2, **CELLS[cell], **STYLES[style]})
    known, kept = analyze(config, certify=False), long_reference(config, memory=SMALL)
    for steps in RANGES:
        here, found = slice(steps.start, steps.stop), close_up(kept, steps).analysis
        for side in ("truncated", "full"):
            mine, theirs = getattr(found, side), getattr(known, side)
            near(mine.h, theirs.h[here], side)
            near(mine.h_by_layer, theirs.h_by_layer[:, here], side)
            for block in theirs.contributions:
                near(mine.contributions[block], theirs.contributions[block][here], block)
                assert mine.blocks[block] == pytest.approx(theirs.blocks[block], rel=1e-12)
        assert (found.plan.reach + steps.start == known.plan.reach[here]).all()
        assert (found.plan.cut == known.plan.cut[here]).all()
        assert (found.plan.reset == known.plan.reset[here]).all()
        assert found.sequence.inputs == known.sequence.inputs[here]
        near(found.loss.per_step, known.loss.per_step[here], "loss")
        for field in ("carried", "reset", "distance", "units_carried", "units_reset"):
            mine, theirs = (getattr(each.carry_over, field) for each in (found, known))
            assert np.abs(mine - theirs[here]).max() <= 1e-12 * known.carry_over.carried.max()
        assert found.costs.whole.kept == pytest.approx(known.costs.whole.kept, rel=1e-10)
        _same_credit(known, found, steps)


def _same_credit(known: Any, found: Any, steps: range) -> None:
    row = {s: i for i, s in enumerate(known.credit.loss_steps.tolist())}
    for i, s in enumerate(found.credit.loss_steps.tolist()):
        if s + steps.start in row:
            there = known.credit.h[row[s + steps.start], steps.start : steps.stop]
            near(found.credit.h[i], there, "credit")


def test_a_close_up_has_at_most_so_many_steps_and_lies_in_the_sequence() -> None:
    kept = long_reference(parse({"task": "series", "steps": 900, "hidden": 2, "batch": 1}))
    for steps, field in ((range(0, MOST_STEPS + 1), "to"), (range(5, 5), "from"), (range(800, 901), "from"),
                         (range(-1, 5), "from")):
        with pytest.raises(InputError) as error:
            close_up(kept, steps)
        assert error.value.problems[0].field == field


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("value", ["carry", "reset"])
def test_the_band_has_each_losss_last_lags(cell: str, value: str) -> None:
    config = parse({"task": "copy", "lag": 4, "steps": 200, "hidden": 5, "layers": 2, "batch": 2, "k": 70, "cell": cell,
                    "value": value})
    found, run = long_reference(config, memory=SMALL).credit, plain(config)
    with quiet_single_thread():
        losses = np.flatnonzero(run.x.data.counts)
        whole, _ = credit(run.x.network, run.x.params, run.tape, run.plan.reset, losses)
    assert (found.every, found.band) == (1, 64)
    last: Any = losses % 70 if value == "reset" else losses
    for s, row, most in zip(losses, whole, last, strict=True):
        lags = np.arange(min(64, most + 1))
        near(found.h[s, lags], row[s - lags], f"loss {s}")
        assert np.isnan(found.h[s, len(lags) :]).all()


@pytest.mark.parametrize("count", [1, 2, 7, 40])
@pytest.mark.parametrize("kept", [0, 1, 3, 39])
def test_segments_come_backwards_whatever_is_kept(count: int, kept: int) -> None:
    ran: list[int] = []

    def run(span: int, states: tuple[int]) -> tuple[int, tuple[int]]:
        assert states == (span,), "each segment starts from the state before it"
        ran.append(span)
        return 10 * span, (span + 1,)

    found = list(backwards(run, range(count), (0,), kept))  # type: ignore[arg-type]
    assert found == [(span, 10 * span) for span in reversed(range(count))]
    assert max(ran.count(span) for span in range(count)) == _fewest(count, kept)


def _fewest(count: int, kept: int) -> int:
    """How often the first segment is run: once for itself, and r times for those after it, where C(s + r, s) >= count
    (Griewank & Walther 2000); without a state, once for every segment."""
    if kept == 0 or count == 1:
        return count
    return 1 + next(r for r in range(1, count) if comb(kept + r, kept) >= count)


def test_a_sequence_with_one_loss_at_its_end_has_a_band_there_and_nowhere_else() -> None:
    config = parse({"steps": 3000, "loss_at": "last", "hidden": 4, "batch": 1, "cell": "rnn", "k": 700})
    found = long_reference(config, memory=SMALL).credit
    assert np.isfinite(found.h[-1]).all()
    assert np.isnan(found.h[:-1]).all()


def test_later_leaves_at_least_one_on_either_side() -> None:
    assert all(1 <= later(count, kept) < count for count in range(2, 60) for kept in range(0, 60))


PEAKS = """
import tracemalloc
from engine import parse
from engine.long.reference import long_reference

def peak(T):
    config = parse({"task": "copy", "lag": 2, "steps": T, "hidden": 32, "batch": 1, "cell": "rnn", "k": 50})
    tracemalloc.start()
    long_reference(config, memory=1_000_000)
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found

peak(300)
print(peak(500), peak(5000))
"""


def test_memory_stays_while_the_sequence_grows() -> None:
    done = subprocess.run([sys.executable, "-c", PEAKS], capture_output=True, text=True, check=True, timeout=120)
    short, long = map(int, done.stdout.split())  # of a process of its own, in which nothing else allocates
    numbers = 8 * 25 * (5000 - 500)  # what is kept of every step: two dozen numbers
    assert long - short < numbers
    assert long < 5_000_000, "a tape of all steps alone would have 5000 * 5 * 32 * 8 bytes = 6.4 MB"


CERTIFIED = [{"k": 30}, {"style": "sliding", "k": 11}, {"k": 25, "value": "reset"}, {"style": "full"},
             {"style": "random", "p": 0.05}]


@pytest.mark.parametrize("options", CERTIFIED, ids=["window", "sliding", "reset", "full", "random"])
def test_both_gradients_are_certified(options: dict[str, Any]) -> None:
    config = parse({"task": "text", "steps": 300, "hidden": 6, "batch": 2, "layers": 2, "embedding": 3, **options})
    truncated, full = certify_reference(long_reference(config, memory=SMALL))
    for found in (truncated, full):
        assert (found.status, found.checked_losses) == ("passed", 300)
        assert found.worst < 1e-11
    assert truncated.objective == plan_of(config).title
    assert full.objective == "full BPTT"


@pytest.mark.parametrize("block", ["l0.W_hh", "l0.b", "W_hy", "E"])
def test_a_wrong_block_is_found_out(block: str) -> None:
    config = parse({"task": "text", "steps": 120, "hidden": 6, "batch": 1, "embedding": 3, "k": 30})
    kept = long_reference(config, memory=SMALL)
    kept.truncated.sweep.blocks[block] *= 1 + 1e-8
    truncated, full = certify_reference(kept)
    assert (truncated.status, full.status) == ("failed", "passed")


def test_of_many_tracks_some_are_certified_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.long.certify.MOST_ELEMENTS", 3 * 200 * 6)
    options = {"task": "series", "cell": "rnn", "steps": 200, "hidden": 6, "batch": 1}
    config = parse({**options, "style": "sliding", "k": 10})
    found, _ = certify_reference(long_reference(config, memory=SMALL))
    assert (found.status, found.checked_losses, found.all_losses) == ("passed", 60, 200)
    assert "60 of the 200 losses" in found.note


def test_an_overview_keeps_every_steps_extremes() -> None:
    config = parse({"task": "copy", "lag": 7, "steps": 1300, "hidden": 4, "batch": 1, "k": 40, "value": "reset"})
    kept = long_reference(config)
    found = analyze_long(config, include=frozenset({"gradients"}), certify=False, kept=kept)
    assert (found.bin, len(found.full.h.high)) == (3, 434)
    assert found.full.h.high.max() == kept.full.norms.h.max()
    assert found.plan.cuts.sum() == found.plan.resets.sum() == 32
    assert (found.plan.windows, found.plan.passes) == (33, 1)
    assert np.isnan(found.loss.mean[0])
    low, mean, high = found.loss.low[3:], found.loss.mean[3:], found.loss.high[3:]
    assert np.isfinite(mean).all()
    assert (low <= mean).all()
    assert (mean <= high).all()
    assert found.gradients is not None
    assert found.gradients["W_hy"].shape == (8, 4)
    assert found.certificate is None
    assert "1299" in found.words.headline


def test_an_explosion_is_kept_as_it_is() -> None:
    config = parse({"cell": "rnn", "task": "series", "gain": 5, "init": "orthogonal", "hidden": 64, "steps": 1500,
                    "batch": 1, "k": 10})
    kept = long_reference(config)
    found = analyze_long(config, kept=kept)
    assert found.certificate is not None
    assert found.certificate_full is not None
    assert (found.certificate.status, found.certificate_full.status) == ("passed", "nonfinite")
    assert not np.isfinite(found.full.h.high).all()
    assert np.isnan(found.costs.whole.kept)
    here = close_up(kept, range(0, 20)).analysis
    assert np.isfinite(here.truncated.h).all()
    assert "not a finite number" in here.words.norms


@pytest.mark.parametrize("options", [{}, {"style": "sliding", "k": 16}, {"value": "reset"},
                                     {"cell": "gru", "batch": 8}], ids=["window", "sliding", "reset", "gru"])
def test_the_estimate_is_near_the_truth(options: dict[str, Any]) -> None:
    config = parse({"task": "copy", "steps": 1500, "lag": 5, "hidden": 24, "batch": 2, "k": 20, **options})
    tracemalloc.start()
    long_reference(config)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= estimate_long(config).bytes
    assert estimate_long(replace(config, steps=15_000)).seconds < 11 * estimate_long(config).seconds


def test_what_is_too_long_is_refused_before_it_starts() -> None:
    config = parse({"task": "series", "steps": 100_000, "hidden": 512, "batch": 16})
    with pytest.raises(InputError) as error:
        analyze_long(config)
    assert "T = 100000" in error.value.problems[0].value
    assert "smaller" in error.value.problems[0].remedy
