"""Every exhibit of the bug museum: it can be computed, drawn and linked, and its two programs are programs."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from engine import InputError
from engine.backprop import backprop
from engine.museum import BUGS, Exhibit, exhibit
from engine.museum.exhibit import LOWEST, credit_map, credit_maps
from engine.museum.runs import edges, plan, run, subject, sweep, windows

PROGRAMS = Path(__file__).resolve().parents[2] / "templates/museum"


@pytest.fixture(scope="module")
def exhibits() -> dict[str, Exhibit]:
    return {name: exhibit(name) for name in BUGS}


def test_the_exhibits_that_were_asked_for_are_there() -> None:
    assert set(BUGS) == {
        "no_detach", "retain_graph", "h_not_c", "detach_every_step", "reset_every_batch", "shuffled_windows",
        "last_batch", "validation_state", "num_steps_depth", "tensor_split", "short_series", "state_grad",
        "zero_in_window", "sum_loss_clip", "padding", "keras_stateful", "gate_gradient", "forget_product"}


@pytest.mark.parametrize("name", BUGS)
def test_it_says_what_it_is_and_where_people_met_it(name: str) -> None:
    bug = BUGS[name]
    assert bug.name == name
    assert all((bug.title, bug.summary, bug.symptom, bug.remedy))
    assert bug.framework in ("pytorch", "keras", "numpy")
    assert len(bug.met) >= 2
    assert len({met.link for met in bug.met}) == len(bug.met)
    for met in bug.met:
        assert urlsplit(met.link).scheme == "https"
        assert len(urlsplit(met.link).path) > 1
        assert met.title
        assert met.happened.endswith(".")


def test_no_two_exhibits_have_the_same_title() -> None:
    assert len({bug.title for bug in BUGS.values()}) == len(BUGS)


@pytest.mark.parametrize("name", BUGS)
def test_both_pictures_are_on_one_scale_that_holds_them(name: str, exhibits: dict[str, Exhibit]) -> None:
    maps = exhibits[name].maps
    assert maps.broken.values.shape == maps.mended.values.shape == (len(maps.rows), len(maps.columns))
    assert 0 < maps.low < maps.high
    for side in (maps.broken, maps.mended):
        assert np.isfinite(side.values).all()
        assert (side.values >= 0).all()
        assert side.values.max() <= maps.high
        shown = side.values[side.values > LOWEST * maps.high]
        assert not shown.size or shown.min() >= maps.low
    assert not np.array_equal(maps.broken.values, maps.mended.values)
    assert maps.mended.values.any()


@pytest.mark.parametrize("name", BUGS)
def test_its_numbers_and_sentences_are_there(name: str, exhibits: dict[str, Exhibit]) -> None:
    found = exhibits[name]
    assert found.bug is BUGS[name]
    assert len({amount.name for amount in found.amounts}) == len(found.amounts) >= 3
    assert np.isfinite([[amount.broken, amount.mended] for amount in found.amounts]).all()
    assert any(amount.broken != amount.mended for amount in found.amounts)
    for sentence in (found.sentence, found.maps.sentence, found.method):
        assert sentence.endswith(".")
        assert "nan" not in sentence
        assert "undefined" not in sentence
        assert "infinitely" not in sentence


@pytest.mark.parametrize("name", BUGS)
def test_its_curve_can_be_drawn(name: str, exhibits: dict[str, Exhibit]) -> None:
    picture = exhibits[name].picture
    assert (picture is not None) == BUGS[name].curve
    if picture is None:
        assert name in ("h_not_c", "detach_every_step", "zero_in_window")  # the gradient pictures say it all
        return
    assert [line.role for line in picture.series][:2] == ["truncated", "full"]
    for line in picture.series:
        assert line.x.shape == line.y.shape
        assert np.isfinite(line.y).all()
        assert not picture.log or (line.y > 0).all()


@pytest.mark.parametrize("name", ["no_detach", "last_batch", "sum_loss_clip", "padding"])
def test_it_is_the_same_each_time(name: str, exhibits: dict[str, Exhibit]) -> None:
    again = exhibit(name)
    assert again.amounts == exhibits[name].amounts
    assert again.sentence == exhibits[name].sentence
    assert np.array_equal(again.maps.broken.values, exhibits[name].maps.broken.values)


@pytest.mark.parametrize("name", BUGS)
def test_its_two_programs_are_programs_and_differ(name: str) -> None:
    broken, mended = ((PROGRAMS / f"{name}.{kind}.py.txt").read_text(encoding="utf-8") for kind in ("broken", "mended"))
    assert compile(broken, name, "exec", dont_inherit=True)
    assert compile(mended, name, "exec", dont_inherit=True)
    shared = set(broken.splitlines()) & set(mended.splitlines())
    assert broken != mended
    assert len(shared) > 0.5 * len(set(broken.splitlines()))


def test_there_is_no_program_without_an_exhibit() -> None:
    assert {path.name.split(".")[0] for path in PROGRAMS.glob("*.py.txt")} == set(BUGS)


def test_pictures_of_two_shapes_are_refused() -> None:
    one, other = credit_map("a", np.ones((2, 3)), [0]), credit_map("b", np.ones((3, 3)), [0])
    with pytest.raises(InputError):
        credit_maps("", one, other, "")


def test_empty_pictures_still_have_a_scale() -> None:
    nothing = credit_map("a", np.zeros((2, 2)), [0])
    maps = credit_maps("", nothing, nothing, "")
    assert 0 < maps.low < maps.high


def test_a_sweep_with_rows_is_the_engines_sweep() -> None:
    """Two layers and a cell of one part, with cuts: blocks as the one backward sweep has them."""
    for options in ({"layers": 2}, {"cell": "gru"}, {"cell": "rnn", "layers": 3}):
        x = subject(**options)
        tape = run(x)
        rows = sweep(x, tape, edges(x, windows(7)))
        one = backprop(x.network, x.params, tape, plan(style="window", k=7, **options)).blocks
        for name, block in one.items():
            np.testing.assert_allclose(rows.blocks[name], block, rtol=1e-12, atol=1e-15)
