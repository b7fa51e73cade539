"""The figures of the deeper diagnostics, over ordinary and extreme configs, and by their own addresses."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from engine import Analysis
from server import encoding, figures
from server.figures import DEEPER, FIGURES, bias_curve
from server.figures.draws import band
from server.themes import tokens

INCLUDES = frozenset({"credit"} | {deeper.include for deeper in DEEPER.values()})
CONFIGS = {
    "default": "steps=24&hidden=6&batch=3",
    "two steps": "steps=2&hidden=3&batch=1",
    "two layers": "cell=gru&layers=2&steps=16&hidden=5&batch=2",
    "no gates": "cell=rnn&steps=16&hidden=5&batch=2",
    "last loss": "loss_at=last&steps=16&hidden=5&batch=2",
    "random": "style=random&p=0.3&steps=20&hidden=5&batch=2",
    "no network": "gain=0&cell=rnn&steps=12&hidden=4&batch=2",
    "infinite": "cell=rnn&init=orthogonal&gain=100&task=series&steps=400&hidden=4&batch=2&loss_at=last&style=random",
    "explodes": "cell=gru&gain=100&steps=300&hidden=12&batch=2&style=random",
    "one unit": "cell=lstm&hidden=1&batch=1&steps=10&style=random",
}


def config(name: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in CONFIGS[name].split("&"))


@cache
def analysis(name: str) -> Analysis:
    return engine.analyze(engine.parse(config(name)), None, INCLUDES, False)


def numbers(value: object) -> Iterator[np.ndarray[Any, np.dtype[Any]]]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from numbers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from numbers(item)


def trace(figure: figures.Figure, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in figure["data"] if one["name"] == name)
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_every_figure_is_drawn_where_there_is_something_to_draw(name: str) -> None:
    found, drawn = analysis(name), figures.draw_all(analysis(name))
    assert list(drawn) == [one for one in figures.NAMES
                           if one in FIGURES or getattr(found, DEEPER[one].include) is not None]
    for figure in drawn.values():
        for axis in (part for key, part in figure["layout"].items() if key[1:5] == "axis"):
            low, high = axis["range"]
            assert math.isfinite(low)
            assert low < high
        for one in figure["data"]:
            assert not any(np.isinf(array).any() for array in numbers(one)), one["name"]
            assert one["type"] == "heatmap" or len(one["x"]) == len(one["y"])
    json.loads(encoding.encode_json(drawn))


@pytest.mark.parametrize("name", CONFIGS)
def test_each_colour_is_a_token(name: str) -> None:
    known = tokens("dark").keys() & tokens("light").keys()
    text = encoding.encode_json(figures.draw_all(analysis(name))).decode()
    used = {part.split(")")[0] for part in text.split("var(")[1:]}
    assert used <= known


def test_nothing_is_computed_that_was_not_asked_for() -> None:
    plain = engine.analyze(engine.parse(config("default")), None, frozenset({"credit"}), False)
    assert list(figures.draw_all(plain)) == list(FIGURES)
    one = engine.analyze(engine.parse(config("default")), None, frozenset({"spectrum"}), False)
    assert set(figures.draw_all(one)) - set(FIGURES) == {"spectrum", "products", "lyapunov"}


@pytest.mark.parametrize(("query", "place"), [
    ({"style": "window", "k": "7"}, 7), ({"style": "sliding", "k": "900"}, 24), ({"style": "full"}, None),
    ({"style": "k1k2", "k1": "5", "k2": "7"}, None)])
def test_the_k_in_force_is_marked(query: dict[str, str], place: int | None) -> None:
    found = engine.analyze(engine.parse(config("default") | query), None, frozenset({"bias_curve"}), False)
    marker = next(one for one in bias_curve.figure(found)["data"] if one["uid"] == "k")
    assert marker["showlegend"] is (place is not None)
    assert list(marker["x"]) == [place, place] if place else np.isnan(marker["x"]).all()


def test_the_curves_are_the_diagnostics_own_numbers() -> None:
    found = analysis("default")
    assert found.bias_curve is not None
    drawn = figures.draw_all(found)
    sliding = trace(drawn["bias_curve"], "sliding(k)")["y"]
    shown = ~np.isnan(sliding)
    assert np.array_equal(sliding[shown], found.bias_curve.sliding[shown])
    running = trace(drawn["lags"], "share of lags up to here")["y"]
    assert running[0] == pytest.approx(found.bias_curve.readout_share)
    assert running[-1] == pytest.approx(1.0)


def test_shares_of_mixed_sign_are_lines_that_sum_to_one() -> None:
    found = figures.draw_all(analysis("default"))["paths"]["data"]
    ways = [one for one in found if one.get("showlegend", True)]
    assert not any("fill" in one or "stackgroup" in one for one in ways)
    assert np.allclose(np.sum([one["y"] for one in ways], axis=0), 1.0)


def test_the_bound_lies_above_the_product_at_every_lag() -> None:
    for name in ("default", "no gates", "two layers", "explodes"):
        drawn = figures.draw_all(analysis(name))["products"]
        bound, product = trace(drawn, "upper bound")["y"], trace(drawn, "the product itself")["y"]
        assert (bound - product >= -1e-9)[np.isfinite(product)].all()


def test_without_forget_gates_the_truth_stands_alone() -> None:
    names = [one["name"] for one in figures.draw_all(analysis("two layers"))["rule_1997"]["data"]]
    assert "the 1997 rule" not in names
    assert "the true gradient" in names


def test_the_band_leaves_out_what_is_not_finite_and_stays_above_its_floor() -> None:
    mean = np.array([1.0, np.inf, 0.5, np.nan, 0.2])
    drawn = band(np.arange(5), mean, np.array([0.1, np.nan, 0.7, np.nan, 0.1]), 1e-3)
    assert list(drawn["x"]) == [0, 2, 4, 4, 2, 0]
    assert np.allclose(drawn["y"], [1.1, 1.2, 0.3, 0.1, 1e-3, 0.9])


@pytest.mark.parametrize("name", DEEPER)
def test_a_deeper_figure_asks_for_what_it_needs(client: TestClient, name: str) -> None:
    answer = client.get(f"/api/v1/figures/{name}?{CONFIGS['random']}&theme=dark")
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]
    assert "var(--" not in answer.text


@pytest.mark.parametrize(("name", "query", "field"), [
    ("draws", "default", "style"), ("draw_errors", "default", "style"),
    ("gates", "no gates", "cell"), ("memory", "no gates", "cell")])
def test_a_figure_that_has_nothing_to_show_says_what_to_choose(
        client: TestClient, name: str, query: str, field: str) -> None:
    answer = client.get(f"/api/v1/figures/{name}?{CONFIGS[query]}")
    assert answer.status_code == 422
    problem = answer.json()["problems"][0]
    assert problem["field"] == field
    assert problem["remedy"].startswith("Choose")


def test_the_page_gets_diagnostics_and_figures_in_one_answer(client: TestClient) -> None:
    answer = client.get(f"/api/v1/analysis?{CONFIGS['default']}&include=paths,gates,figures&certificate=false").json()
    assert answer["paths"]["sentence"]
    assert set(answer["figures"]) - set(FIGURES) == {"paths", "rule_1997", "gates", "memory"}
    assert answer["bias_curve"] is None
