"""The engine beside PyTorch's autograd, to 1e-12: every cell, style, carry and depth."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.backprop import Gradients, backprop
from engine.experiment import prepare
from engine.network import Network
from engine.truncation import full_plan, plan_of
from engine.unroll import unroll
from tests.engine.passes import passes, resets
from tests.parity import reference
from tests.parity.subject import Subject, distance, subject

TOLERANCE = 1e-12

CELLS = {"rnn": {"cell": "rnn"}, "lstm": {"cell": "lstm"}, "gru": {"cell": "gru"},
         "gru-reset-before": {"cell": "gru", "reset_after": False}}
STYLES = {"full": {"style": "full"}, "window": {"style": "window", "k": 5}, "sliding": {"style": "sliding", "k": 6},
          "k1k2": {"style": "k1k2", "k1": 3, "k2": 7}, "random": {"style": "random", "p": 0.2}}
SWITCHES = [("carry", "cut"), ("carry", "pass"), ("reset", "cut"), ("reset", "pass")]
CASES = [(style, *switches) for style in STYLES for switches in SWITCHES if style != "full" or switches[0] == "carry"]
# What is read, what is predicted and where the loss stands goes round, so that each meets each cell and style.
DATA = [{"task": "text", "text": "to be or not to be, that is the question"},
        {"task": "copy", "embedding": 3, "mask": True, "initial": True},
        {"task": "series", "initial": True},
        {"task": "adding"},
        {"task": "lagged_bits", "loss_at": "last", "initial": True},
        {"task": "text", "embedding": 4, "loss_at": "last"},
        {"task": "series", "mask": True}]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("case", CASES, ids="-".join)
@pytest.mark.parametrize("cell", CELLS)
def test_the_engine_agrees_with_autograd(cell: str, case: tuple[str, str, str], layers: int,
                                         record_property: Callable[[str, object], None]) -> None:
    style, value, gradient = case
    at = list(CELLS).index(cell) + CASES.index(case) * 3 + layers
    found = subject(**CELLS[cell], **STYLES[style], value=value, gradient=gradient, layers=layers, seed=at,
                    **DATA[at % len(DATA)])
    gaps = {**_truncated_gaps(found), **_full_gaps(found), **_credit_gaps(found)}
    worst = max(gaps, key=lambda name: gaps[name])
    record_property("worst", f"{gaps[worst]:.2e} {worst}")
    assert gaps[worst] <= TOLERANCE, f"{worst} differs by {gaps[worst]:.1e}"
    assert found.found.certificate.status == found.found.certificate_full.status == "passed"


def _truncated_gaps(x: Subject) -> dict[str, float]:
    c, T = x.config, x.config.steps
    whole = c.style in ("full", "random") or c.gradient == "pass"
    theirs, losses = reference.truncated(
        x.problem, passes("full" if whole else c.style, T, c.k, c.k1, c.k2), _again(x), _edges(x))
    tape_losses = {"losses": distance(np.nan_to_num(x.found.loss.per_step), np.nan_to_num(losses))}
    assert np.array_equal(np.isnan(x.found.loss.per_step), np.isnan(losses))
    return tape_losses | _gaps("truncated", x.found.truncated, x.found.gradients, theirs, x, initial_gradients(x, True))


def _full_gaps(x: Subject) -> dict[str, float]:
    theirs, _ = reference.truncated(x.problem, passes("full", x.config.steps, 0, 0, 0), [])
    return _gaps("full", x.found.full, x.found.gradients_full, theirs, x, initial_gradients(x, False))


def _credit_gaps(x: Subject) -> dict[str, float]:
    ours = (x.found.credit.h, x.found.credit.c)
    return {f"credit {part}": distance(ours[part], matrix)
            for part, matrix in enumerate(reference.credit(x.problem, _again(x)))}


def _gaps(name: str, norms: object, gradients: dict, theirs: reference.Found, x: Subject,
          initial: list[np.ndarray]) -> dict[str, float]:
    assert list(gradients) == list(theirs.blocks)
    out = {f"{name} {block}": distance(ours, theirs.blocks[block]) for block, ours in gradients.items()}
    for part, ours in enumerate((norms.h, norms.c)[: len(theirs.states)]):
        out[f"{name} states {part}"] = distance(ours, reference.mean_norms(theirs.states[part]))
        by_layer = np.sqrt(np.square(theirs.states[part]).sum(axis=3)).mean(axis=2).T
        out[f"{name} states by layer {part}"] = distance((norms.h_by_layer, norms.c_by_layer)[part], by_layer)
    for part, ours in enumerate(initial):
        out[f"{name} initial state {part}"] = distance(ours, theirs.initial[part])
    for block, terms in theirs.terms.items():
        sizes = np.linalg.norm(terms.reshape(len(terms), -1), axis=1) / x.config.batch
        out[f"{name} contributions {block}"] = distance(norms.contributions[block], sizes)
        out[f"{name} norm {block}"] = distance(norms.blocks[block], np.linalg.norm(theirs.blocks[block]))
    return out


def _again(x: Subject) -> list[int]:
    c = x.config
    if c.style == "random":
        return np.flatnonzero(plan_of(c).reset).tolist()
    return resets(c.style, c.steps, c.k, c.k1) if c.value == "reset" else []


def _edges(x: Subject) -> list[float]:
    """Returns the drawn cuts of random(p), and the weights of what was not cut."""
    drawn = x.config.style == "random" and x.config.gradient == "cut"
    return plan_of(x.config).edge[:, 0].tolist() if drawn else []


def initial_gradients(x: Subject, truncated: bool) -> list[np.ndarray]:
    """Returns the engine's gradient of the initial state, (L, B, H) per part: it is not part of an Analysis."""
    e = prepare(x.config, x.given)
    plan = plan_of(x.config) if truncated else full_plan(x.config.steps)
    found = backprop(e.network, e.params, unroll(e.network, e.params, e.data, plan.reset), plan)
    return _parts(e.network, found)


def _parts(network: Network, found: Gradients) -> list[np.ndarray]:
    H = network.hidden
    return [np.stack([layer[part * H : (part + 1) * H].T for layer in found.initial])
            for part in range(network.cell.parts)]
