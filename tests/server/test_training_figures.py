"""Pictures of a training run, from its first moment to its end, with divergence, and of values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.training import Lab, Strategy
from scripts.shell import ROOT
from server import encoding
from server.figures.training import MEASURES, Picture, draw_all
from server.figures.training.picture import DASHES
from server.figures.training.probe import reach
from server.figures.training.series import MOST_BINS, of_moments, of_points
from server.themes import tokens
from tests.server import made_runs
from tests.server.made_runs import LAB, RUNS


def numbers(value: object) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)


def trace(picture: Picture, uid: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in picture.figure["data"] if one["uid"] == uid)
    return found


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("name", RUNS)
def test_every_picture_of_every_run_is_sound(name: str, measure: str) -> None:
    for what, picture in draw_all(RUNS[name], measure=measure).items():
        layout = picture.figure["layout"]
        for key, part in layout.items():
            if key[1:5] == "axis":
                low, high = part["range"]
                assert math.isfinite(low), (what, key)
                assert low < high, (what, key)
        for one in picture.figure["data"]:
            assert not any(np.isinf(array).any() for array in numbers(one)), (what, one["name"])
            assert one["type"] == "heatmap" or len(one["x"]) == len(one["y"]), (what, one["name"])
            assert len(one["x"]) <= 2 * MOST_BINS + 8
        assert picture.sentence.endswith(".")
        assert all(len(row) == len(picture.table.columns) for row in picture.table.rows), what
        json.loads(encoding.encode_json(picture.figure))
        assert encoding.encode_binary(picture).startswith(b"UNR1")


@pytest.mark.parametrize("name", RUNS)
def test_each_colour_is_a_token_and_each_trace_has_an_id_of_its_own(name: str) -> None:
    known = tokens("dark").keys() & tokens("light").keys()
    for picture in draw_all(RUNS[name]).values():
        used = set(re.findall(r"var\((--[\w-]+)\)", repr(picture.figure)))
        assert used <= known
        ids = [one["uid"] for one in picture.figure["data"]]
        assert len(ids) == len(set(ids))


def test_which_pictures_there_are() -> None:
    assert list(draw_all(RUNS["done"])) == ["loss", "score", "loss_other", "training", "norms", "half_life", "costs",
                                            "probe_0", "probe_1", "probe_2"]
    assert "score" not in draw_all(RUNS["values"])


def test_the_loss_is_read_as_it_was_trained_and_the_other_way_round() -> None:
    pictures, lanes = draw_all(RUNS["done"]), RUNS["done"].lanes
    carried = [m.loss_carry for m in lanes[0].moments], [m.loss_carry for m in lanes[3].moments]
    np.testing.assert_allclose(trace(pictures["loss"], "s0")["y"], np.mean(carried, axis=0))
    reset = [m.loss_reset for m in lanes[1].moments], [m.loss_reset for m in lanes[4].moments]
    np.testing.assert_allclose(trace(pictures["loss"], "s1")["y"], np.mean(reset, axis=0))
    other = [m.loss_carry for m in lanes[1].moments], [m.loss_carry for m in lanes[4].moments]
    np.testing.assert_allclose(trace(pictures["loss_other"], "s1")["y"], np.mean(other, axis=0))
    spans = [pictures[name].figure["layout"]["yaxis"]["range"] for name in ("loss", "loss_other")]
    assert spans[0][1] <= spans[1][1] + 0.5


@pytest.mark.parametrize("name", ["loss", "score", "loss_other", "half_life"])
def test_the_first_evaluation_is_seen_before_there_is_a_second(name: str) -> None:
    """A line through one point is nothing to see; a dot is."""
    lanes = tuple(replace(lane, moments=lane.moments[:1]) for lane in RUNS["done"].lanes)
    one = trace(draw_all(replace(RUNS["done"], lanes=lanes))[name], "s0")
    assert one["x"].size == 1
    assert np.isfinite(one["y"]).all()
    assert "markers" in one["mode"]


def test_strategies_are_held_against_each_other_where_all_have_come_to() -> None:
    """One that is ahead has a lower loss for that alone; one that has ended early holds nobody up."""
    ahead = replace(RUNS["half-way"], lanes=tuple(
        made_runs.lane(LAB, index, seed, 0.9 if index == 2 else 0.2, "") for index, seed in LAB.lanes))
    pictures = draw_all(ahead)
    first, third = (trace(pictures["loss"], f"s{index}")["y"][2] for index in (0, 2))
    assert pictures["loss"].sentence == (
        f"{first:.3g} nats per character for window(5), state carried; {third:.3g} for full BPTT, each after 4,000 "
        "characters: lower is better.")
    assert pictures["score"].sentence.endswith(", each after 4,000 characters.")
    assert re.search(r"each after (3,9|4,0)\d\d characters: lower is better", pictures["training"].sentence)
    lost = replace(ahead, lanes=tuple(
        replace(one, ended="" if one.strategy == 2 else "diverged") for one in ahead.lanes))
    assert "each after" not in draw_all(lost)["loss"].sentence
    assert "each after" not in draw_all(RUNS["done"])["loss"].sentence


def test_the_band_is_from_the_lowest_seed_to_the_highest() -> None:
    found = of_moments(RUNS["done"], 0, lambda moment: moment.loss_carry)
    np.testing.assert_allclose(found.high - found.low, 0.02)
    np.testing.assert_allclose(found.seeds, 2)
    area = trace(draw_all(RUNS["done"])["loss"], "band0")
    assert area["fill"] == "toself"
    assert area["y"].max() == pytest.approx(found.high.max())


def test_bits_and_perplexity_are_the_same_loss() -> None:
    nats, bits, perplexity = (trace(draw_all(RUNS["done"], measure=name)["loss"], "s0")["y"] for name in MEASURES)
    np.testing.assert_allclose(bits, nats / np.log(2))
    np.testing.assert_allclose(perplexity, np.exp(nats))
    assert "bits per character" in draw_all(RUNS["done"], measure="bits")["loss"].figure["layout"]["yaxis"]["title"][
        "text"]


def test_a_diverged_lane_leaves_a_cross_and_the_axis_stays_with_the_others() -> None:
    pictures = draw_all(RUNS["diverged"])
    assert trace(pictures["training"], "end1")["x"].size == 1
    assert trace(pictures["training"], "end0")["x"].size == 0
    assert pictures["training"].figure["layout"]["yaxis"]["range"][1] < 10


def test_points_are_binned_and_keep_their_extremes() -> None:
    lab = replace(LAB, seeds=1)
    one = made_runs.lane(lab, 0, 0)
    many = {name: np.repeat(values, 5) for name, values in one.points.items()}
    many["tokens"] = np.linspace(1, lab.tokens, 3000)
    many["norm"] = np.where(np.arange(3000) == 1500, 1e4, 1.0)
    found = of_points(made_runs.RunView(lab, "done", (replace(one, points=many),), None), 0, "norm")
    assert found.x.size <= MOST_BINS
    assert found.high.max() == 1e4
    assert found.low.min() == 1.0
    assert found.mean.max() < 1e4


def test_the_probe_is_absolute_and_its_edge_is_where_training_stops() -> None:
    picture = draw_all(RUNS["done"])["probe_0"]
    z = trace(picture, "probe")["z"]
    assert z.shape == (made_runs.PIECE, LAB.evaluations + 1)
    np.testing.assert_allclose(z[-1], np.log10(0.3), atol=1e-6)
    np.testing.assert_allclose(z[0], np.log10([m.probe[0] for m in RUNS["done"].lanes[0].moments]), atol=1e-5)
    assert trace(picture, "edge")["y"][0] == made_runs.PIECE - 5 - 0.5
    assert not trace(draw_all(RUNS["done"])["probe_2"], "edge")["showlegend"]


def test_another_seed_has_its_own_probe() -> None:
    assert draw_all(RUNS["done"], seed=1)["probe_0"].table.rows
    assert not draw_all(RUNS["done"], seed=7)["probe_0"].table.rows


def test_the_reach_of_a_probe() -> None:
    assert reach(np.array([0.0, 1e-12, 1e-3, 1.0])) == 1
    assert reach(np.array([1e-3, 1.0])) == 1
    assert reach(np.zeros(3)) == 0


def test_costs_compare_time_and_memory() -> None:
    sentence = draw_all(RUNS["done"])["costs"].sentence
    assert re.search(r"full BPTT takes \S+ µs a character, 3 times window\(5\), state carried", sentence)
    assert "full BPTT holds the most memory, 96 MiB" in sentence


def test_eight_strategies_differ_in_colour_and_dash() -> None:
    lab: Lab = replace(LAB, seeds=1, strategies=tuple(Strategy(k=k) for k in range(1, 9)))
    picture = draw_all(made_runs.run(lab))["loss"]
    looks = {(one["line"]["color"], one["line"]["dash"]) for one in picture.figure["data"] if one["uid"][0] == "s"}
    assert len(looks) == 8
    assert len(set(DASHES)) == 8


def test_seeds_that_are_evaluated_at_other_tokens_make_one_line_and_whole_tables() -> None:
    found = RUNS["done"]
    late = replace(found.lanes[3], moments=tuple(replace(m, tokens=m.tokens + 40) for m in found.lanes[3].moments))
    other = tuple(replace(m, tokens=max(0, m.tokens - 90)) for m in found.lanes[2].moments)
    lanes = (*found.lanes[:2], replace(found.lanes[2], moments=other), late, *found.lanes[4:])
    picture = draw_all(replace(found, lanes=lanes))["loss"]
    assert trace(picture, "s0")["x"].size == LAB.evaluations + 1
    assert trace(picture, "s0")["x"][1] == LAB.tokens / LAB.evaluations + 20
    assert len(picture.table.rows) == LAB.evaluations + 1
    assert all(math.isfinite(float(cell)) for row in picture.table.rows for cell in row)


def test_the_page_has_the_same_dashes() -> None:
    script = (ROOT / "static/js/training/swatch.js").read_text(encoding="utf-8")
    written = re.search(r"DASHES = \[(.*?)\]", script)
    assert written
    assert re.findall(r'"([^"]*)"', written[1]) == [
        "none" if dash == "solid" else dash.replace("px", "").replace(",", " ") for dash in DASHES]
