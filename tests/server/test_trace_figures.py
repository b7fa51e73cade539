"""The pictures of traces: columns set in steps, both staircases, what is not finite, and what there is no room for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.recorded import Outcome, limits, outcome_of, read_trace, recorded, source_of
from server import encoding
from server.figures.recorded import draw_all
from server.traces.view import view_of
from tests.engine.false_traces import given, trace
from tests.engine.recorded_traces import LSTM, RNN, arrays, every, meta
from tests.engine.test_recorded_bad import another, other_text

T = 12


def outcome(fields: dict[str, Any], arrived: dict[str, np.ndarray]) -> Outcome:
    return outcome_of(recorded(json.dumps(fields).encode(), arrived))


def small(**more: Any) -> Outcome:
    arrived = arrays(LSTM, {"lstm.l0.c": every(4, T)}, T, credit=lambda lag: 0.5**lag,
                   reset={row: [8] for row in LSTM})
    return outcome(meta(LSTM, [0, 4, 8], {"style": "window", "k": 4}),
                   arrived | {"state": np.ones((2, T)), "grad": np.full((2, T), 0.1)} | more)


def part(figure: Any, name: str) -> Any:
    return next(trace for trace in figure["data"] if trace.get("uid") == name or trace["name"] == name)


def test_the_staircases_are_those_of_the_test() -> None:
    found = small()
    assert found.reach is not None
    assert found.reach.expected is not None
    drawn = draw_all(found)["staircase"]
    assert part(drawn, "expected")["name"] == "expected: window(4)"
    assert part(drawn, "expected")["x"].tolist() == np.repeat(found.reach.expected - 0.5, 2).tolist()
    assert part(drawn, "found")["x"].tolist() == np.repeat(found.reach.found - 0.5, 2).tolist()
    assert part(drawn, "found")["y"].tolist() == [value for s in range(T) for value in (s - 0.5, s + 0.5)]


def test_losses_that_are_few_have_a_line_each() -> None:
    losses = [2, 3, 11]
    arrived = arrays(RNN, {}, T, losses, credit=lambda lag: 0.5**lag)
    drawn = draw_all(outcome(meta(RNN), arrived))["credit:rnn.l0.h"]
    axis = drawn["layout"]["yaxis"]
    assert (axis["tickvals"], axis["ticktext"]) == ([0, 1, 2], ["2", "3", "11"])
    cells = part(drawn, "matrix")["z"]
    assert cells.shape == (3, T)
    assert np.isnan(cells[0, 3:]).all()
    assert np.allclose(cells[2], np.log10(0.5 ** (11.0 - np.arange(T))))
    assert not [trace for trace in drawn["data"] if trace["name"].startswith("expected")]


def test_columns_are_set_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COLUMNS", 5)
    drawn = draw_all(small())
    assert part(drawn["loss"], "loss")["x"].tolist() == [1, 4, 7, 10]  # the middles of three steps each
    assert all(figure["layout"]["xaxis"]["range"] == [-0.5, 11.5] for name, figure in drawn.items())
    assert part(drawn["staircase"], "expected")["x"].max() == pytest.approx(7.5)
    assert part(drawn["state"], "starts anew")["x"].tolist() == [5.5, 5.5]  # the column that holds step 8


def test_a_new_beginning_is_marked_once_in_the_key() -> None:
    drawn = draw_all(small())["state"]
    marks = [trace for trace in drawn["data"] if trace["name"] == "starts anew"]
    assert [mark["x"].tolist() for mark in marks] == [[7.5, 7.5]]
    assert [mark["showlegend"] for mark in marks] == [True]


def test_the_gradients_picture_says_which_state_is_cut_where() -> None:
    drawn = draw_all(small())["grad"]
    cuts = [trace for trace in drawn["data"] if trace["name"].endswith(" cut")]
    assert [(cut["name"], cut["x"][::3].tolist()) for cut in cuts] == [("c cut", [3.5, 7.5]), ("h cut", [7.5])]
    arrived = arrays(LSTM, {row: [4, 8] for row in LSTM}, T) | {"grad": np.ones((2, T))}
    together = draw_all(outcome(meta(LSTM), arrived))["grad"]
    assert [trace["name"] for trace in together["data"] if trace["name"].endswith(" cut")] == ["c, h cut"]


def test_nothing_finite_is_said_in_the_picture() -> None:
    nothing = np.full((2, T), np.nan)
    drawn = draw_all(small(grad=nothing, state=nothing, loss=np.full(T, np.nan)))
    for name in ("grad", "state", "loss"):
        assert "not one finite number" in drawn[name]["layout"]["annotations"][0]["text"]
    encoding.encode_json({"figures": drawn})


def test_whatever_can_be_read_can_be_drawn_and_encoded() -> None:
    """Traces with other numbers, types and fields; among them 1e308, infinity and NaN in every place."""
    rng = np.random.default_rng(8)
    drawn = 0
    for _ in range(1200):
        changed = given()
        for name in rng.choice(list(changed), rng.integers(1, 3)):
            changed[name] = another(changed[name], rng)
        try:
            found = outcome_of(read_trace(source_of(trace(other_text(rng), changed))))
        except InputError:
            continue
        assert encoding.encode_json(view_of(found))
        drawn += 1
    assert drawn > 150


@pytest.mark.parametrize("value", [1e308, 5e-324, 0.0])
def test_numbers_at_the_ends_of_what_there_is(value: float) -> None:
    everywhere = small(grad=np.full((2, T), value), state=np.full((2, T), value), loss=np.full(T, value))
    for figure in draw_all(everywhere).values():
        for name in ("xaxis", "yaxis"):
            assert np.isfinite(figure["layout"][name]["range"]).all()


def test_captions_of_updates() -> None:
    def captions(**updates: Any) -> dict[str, str]:
        return outcome(meta(RNN, parameters=["W"]), {"loss": np.ones(3), **updates}).captions

    norms = np.array([[1.0], [3.0]])
    assert captions(norm_before=norms)["parameters"] == "Only the norms before clipping were recorded."
    assert captions(norm_after=norms)["parameters"] == "Only the norms after clipping were recorded."
    same = captions(norm_before=norms, norm_after=norms)["parameters"]
    assert same == "The largest norm of all parameters together is 3; clipping changes nothing in any of the 2 updates."
    infinite = captions(norm_before=norms * np.inf, norm_after=norms)["parameters"]
    assert infinite == "Not one update has a gradient that is finite."
    assert captions(memory=np.array([2.0**21]))["memory"] == "2 MiB are resident at the one update."
    steady = captions(memory=np.array([2.0**28, 2.0**28]))["memory"]
    assert steady == "From 256 MiB at the first update to 256 MiB at the last: it does not grow."
    assert captions(memory=np.full(2, np.nan))["memory"] == "How much was resident at an update was not recorded."
    one = captions(norm_before=norms[:1], norm_after=norms[:1])["parameters"]
    assert one.endswith("is 1; clipping changes nothing in the one update.")


@pytest.mark.parametrize(("here", "there", "said"), [
    (1.0, 0.5, ": its gradient has norm 1 at its own step and 0.5 there."),
    (np.nan, 0.5, ": its gradient has norm 0.5 there."),
    (1.0, np.nan, ": its gradient has norm 1 at its own step."), (np.nan, np.nan, ".")])
def test_a_norm_that_was_not_recorded_is_not_spoken_of(here: float, there: float, said: str) -> None:
    given = arrays(RNN, {}, T, credit=lambda lag: 0.7)
    given["credit"][0, -1, [T - 1, 0]] = here, there
    caption = outcome(meta(RNN), given).captions["credit:rnn.l0.h"]
    assert caption == f"The loss at step {T - 1} leads back to step 0{said}"


def test_a_state_that_a_loss_does_not_lead_to_says_so() -> None:
    apart = {"b.h": (("b.h",), ()), "a.h": (("a.h",), ())}
    found = outcome(meta(apart), arrays(apart, {}, T, credit=lambda lag: 0.5**lag))
    assert found.captions["credit:b.h"] == "The loss at step 11 does not lead to this state."


def test_steps_at_which_a_row_has_no_state_are_blank() -> None:
    """Not marked as what exploded is, though both are NaN in the trace."""
    given = arrays(RNN, {}, T, credit=lambda lag: 0.7) | {"state": np.ones((1, T))}
    for name, gone in (("state", np.nan), ("value", 2), ("edge", 2)):
        given[name][:, 5:8] = gone
    given["credit"][:, :, 5:8] = np.nan
    given["credit"][:, :, 2] = np.nan
    z = part(draw_all(outcome(meta(RNN), given))["credit:rnn.l0.h"], "credit")["z"]
    assert np.isnan(z[-1, 5:8]).all()
    assert not np.isnan(z[-1, [0, 1, 2, 3, 4, 8]]).any()


def test_a_plan_that_has_no_style_is_drawn_as_found() -> None:
    found = outcome(meta(RNN), arrays(RNN, {"rnn.l0.h": [5, 7]}, T))
    assert found.plan.title == "as found"
    assert found.plan.reach.tolist() == [0] * 5 + [5] * 2 + [7] * 5
    assert found.plan.cut.tolist() == [t in (5, 7) for t in range(T)]


def test_only_the_first_rows_are_drawn_where_there_are_many() -> None:
    rows = [f"net.l{n}.h" for n in range(12)]
    arrived = {"loss": np.ones(T), "state": np.ones((12, T)), "losses": np.arange(T),
             "credit": np.tile(np.tril(np.ones((T, T))), (12, 1, 1))}
    found = outcome(meta(rows), arrived)
    view = view_of(found)
    assert sum(name.startswith("credit:") for name in view.figures) == 8 == len(view.credit)
    assert len([trace for trace in view.figures["state"]["data"] if trace["name"] in view.short.values()]) == 8
    assert view.captions["state"].endswith("The first 8 of 12 states are drawn.")
    assert len(view.state) == 12


def test_many_updates_are_shown_by_the_largest_of_each_few() -> None:
    norms = np.arange(5000.0)[:, None]
    found = outcome(meta(RNN, parameters=["W"]), {"loss": np.ones(3), "norm_before": norms, "norm_after": norms / 2})
    view = view_of(found)
    assert view.updates is not None
    assert view.updates.before is not None
    assert view.updates.first[:3].tolist() == [0, 3, 6]
    assert view.updates.before[:3].tolist() == [2, 5, 8]
    drawn = view.figures["parameters"]
    assert part(drawn, "before clipping")["x"].shape[0] <= 2000


def test_the_answer_is_bounded_for_the_largest_of_everything() -> None:
    """8 rows of 512 losses over 2,000 steps: under the reply's limit in both forms."""
    P, R, steps = 8, 512, 2000
    losses = np.linspace(3, steps - 1, R).astype(int)
    lag = losses[:, None] - np.arange(steps)[None, :]
    credit = np.broadcast_to(np.where(lag >= 0, 0.123456789, 0.0).astype(np.float32), (P, R, steps))
    arrived = {"loss": np.ones(steps), "losses": losses, "credit": credit, "connected": (credit > 0).astype(np.uint8),
             "state": np.full((P, steps), 0.123456789), "grad": np.full((P, steps), 0.123456789)}
    view = view_of(outcome(meta([f"l{n}" for n in range(P)]), arrived))
    assert len(encoding.encode_binary(view)) < 16 * 2**20
    assert len(encoding.encode_json(view)) < 48 * 2**20
