"""The museum's programs on PyTorch and NumPy: the broken ones show their symptom, the mended ones do not."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from engine.museum import BUGS, exhibit
from engine.published.lagged_bits import floor, reset_floor
from tests.peers.museum_runs import both, run, written_for


def test_no_detach_stops_at_the_second_batch(tmp_path: Path) -> None:
    broken, mended = both("no_detach", tmp_path)
    assert broken.printed.count("loss") == 1
    assert broken.error == BUGS["no_detach"].error
    losses = mended.numbers("loss")
    assert len(losses) > 50
    assert losses[-1] < 0.2 * losses[0]


def test_retain_graph_grows_with_every_batch(tmp_path: Path) -> None:
    broken, mended = both("retain_graph", tmp_path)
    grown, level = (ran.numbers("operations in the graph") for ran in (broken, mended))
    assert len(grown) == len(level) == 10
    assert all(b - a == grown[2] - grown[1] > 0 for a, b in pairwise(grown[1:]))
    assert len(set(level[1:])) == 1
    assert grown[-1] > 4 * level[-1]


def test_retain_graph_with_a_step_in_the_loop_is_the_error_that_the_exhibit_shows(tmp_path: Path) -> None:
    once = "    loss.backward(retain_graph=True)\n"
    ran = run("retain_graph", True, tmp_path, (once, f"{once}    optimizer.step()\n"))
    assert ran.error.startswith(BUGS["retain_graph"].error)
    assert "is at version" in ran.error


def test_a_program_that_imports_all_itself_ends_the_same(tmp_path: Path) -> None:
    itself = run("no_detach", True, tmp_path, fresh=True)
    assert itself.error
    assert itself == run("no_detach", True, tmp_path)


def test_h_not_c_stops_at_the_second_batch_as_if_nothing_were_detached(tmp_path: Path) -> None:
    broken, mended = both("h_not_c", tmp_path)
    assert broken.printed.count("loss") == 1
    assert broken.error.startswith(BUGS["h_not_c"].error)
    assert len(mended.numbers("loss")) > 50


def test_detach_every_step_reaches_no_step_but_its_own(tmp_path: Path) -> None:
    broken, mended = both("detach_every_step", tmp_path)
    assert broken.numbers("reaches back to step") == [19, 39, 59]
    assert mended.numbers("reaches back to step") == [0, 20, 40]


def test_reset_every_batch_stands_on_its_floor(tmp_path: Path) -> None:
    broken, mended = both("reset_every_batch", tmp_path)
    [reset], [carried] = (ran.numbers("windows:") for ran in (broken, mended))
    assert reset == pytest.approx(reset_floor(5), abs=0.01)
    assert floor(8) < carried < floor(3)


def test_shuffled_windows_are_worse_than_a_reset(tmp_path: Path) -> None:
    broken, mended = both("shuffled_windows", tmp_path)
    [shuffled], [streams] = (ran.numbers("windows:") for ran in (broken, mended))
    assert streams < floor(3) < reset_floor(5) + 0.01 < shuffled
    ours = exhibit("shuffled_windows").amounts[0]
    assert shuffled == pytest.approx(ours.broken, abs=0.015)
    assert streams == pytest.approx(ours.mended, abs=0.015)


def test_last_batch_has_another_size(tmp_path: Path) -> None:
    broken, mended = both("last_batch", tmp_path)
    assert broken.error == BUGS["last_batch"].error
    assert "of 4 rows and 2 steps" in mended.printed
    assert "rows and 5 steps" in broken.printed


def test_validation_depends_on_what_was_read_before(tmp_path: Path) -> None:
    broken, mended = both("validation_state", tmp_path)
    assert len(set(broken.numbers("data: loss"))) == 3
    assert len(set(mended.numbers("data: loss"))) == 1
    assert len(mended.numbers("data: loss")) == 3


def test_num_steps_is_no_depth(tmp_path: Path) -> None:
    broken, mended = both("num_steps_depth", tmp_path)
    assert broken.numbers("depends on:") == [1]
    assert mended.numbers("depends on:") == [8]
    assert broken.numbers("parameters:")[0] > 10 * mended.numbers("parameters:")[0]


def test_tensor_split_makes_sections(tmp_path: Path) -> None:
    broken, mended = both("tensor_split", tmp_path)
    assert broken.numbers("this window:") == [4] * 10
    assert mended.numbers("this window:") == [10] * 4


def test_state_grad_gives_0288_for_0108(tmp_path: Path) -> None:
    broken, mended = both("state_grad", tmp_path)
    assert broken.numbers("dw =") == [0.9, 0.36, 0.288]
    assert mended.numbers("dw =") == [0.9, 0.36, 0.108]


def test_zero_in_window_leaves_one_window(tmp_path: Path) -> None:
    broken, mended = both("zero_in_window", tmp_path)
    assert broken.numbers("used:") == [1]
    assert mended.numbers("used:") == [4]


def test_a_sum_is_clipped_at_nearly_every_update(tmp_path: Path) -> None:
    broken, mended = both("sum_loss_clip", tmp_path)
    assert broken.numbers("clipped:")[0] > 95
    assert mended.numbers("clipped:")[0] < 50


def test_padding_changes_the_state(tmp_path: Path) -> None:
    broken, mended = both("padding", tmp_path)
    longest, *filled = broken.numbers("alone| =")
    assert longest == 0
    assert len(filled) == 2
    assert min(filled) > 0.05
    assert mended.numbers("alone| =") == [0, 0, 0]


def test_a_gate_without_its_derivative_fails_the_check(tmp_path: Path) -> None:
    broken, mended = both("gate_gradient", tmp_path)
    assert broken.numbers("relative error")[0] > 0.5
    assert mended.numbers("relative error")[0] < 1e-6


def test_the_forget_gates_product_is_not_the_gradient(tmp_path: Path) -> None:
    broken, mended = both("forget_product", tmp_path)
    [rule], [true] = (ran.numbers("units| =") for ran in (broken, mended))
    assert true > 10 * rule > 0


def test_a_short_series_trains_nothing(tmp_path: Path) -> None:
    broken, mended = both("short_series", tmp_path)
    assert broken.numbers("updates:") == [0]
    assert mended.numbers("updates:") == [60]


def test_every_program_for_these_is_run_here() -> None:
    names = written_for("pytorch", "numpy")
    text = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in names if f'both("{name}"' not in text} == set()
