"""RTRL, the second witness: it agrees with full BPTT, it would notice a fault, and it stays away where it is long."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine import analyze, certify, parse
from engine.backprop import backprop
from engine.config import Config
from engine.reference import reference
from engine.rtrl import witness
from engine.truncation import plan_of
from tests.engine.setups import CELL_OPTIONS

SMALL = {"hidden": 4, "batch": 2, "steps": 15, "gain": 1.5}
DATA = {"one-hot": {"task": "text"}, "embedding": {"task": "copy", "lag": 3, "embedding": 3},
        "values": {"task": "adding"}, "last": {"task": "series", "loss_at": "last"}}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_it_agrees_with_full_bptt(cell: str, data: str) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | DATA[data]))
    found = witness(kept.x, kept.tape, kept.gradients)
    assert found.block == "l0.W_hh"
    assert found.relative_error <= 1e-12


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_it_notices_a_gradient_that_is_off(cell: str) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell]))
    plan = plan_of(Config(steps=15, style="sliding", k=13))  # lag 14 has nothing for W_hh: the initial state is 0
    cut = backprop(kept.x.network, kept.x.params, kept.tape, plan)
    two_lags_less = witness(kept.x, kept.tape, cut).relative_error
    assert two_lags_less > 1e-10
    blocks = {**kept.gradients.blocks, "l0.W_hh": kept.gradients.blocks["l0.W_hh"] * (1 + 1e-6)}
    off = witness(kept.x, kept.tape, replace(kept.gradients, blocks=blocks)).relative_error
    assert off == pytest.approx(1e-6, rel=1e-3)


@pytest.mark.parametrize("options", [{"layers": 2}, {"hidden": 64}, {"steps": 1500, "hidden": 2}],
                         ids=["two layers", "wide", "long"])
def test_it_stays_away_where_it_would_be_long(options: dict[str, int]) -> None:
    kept = reference(parse(SMALL | options))
    assert witness(kept.x, kept.tape, kept.gradients) is None


def test_it_stands_in_the_certificate_of_full_bptt() -> None:
    truncated, full = certify(parse({**SMALL, "style": "window", "k": 4}))
    assert truncated.witness is None
    assert full.witness.name.startswith("RTRL")
    assert full.witness.relative_error <= 1e-12
    found = analyze(parse({**SMALL, "style": "full"}))
    assert found.certificate.witness == found.certificate_full.witness is not None


def test_no_gradient() -> None:
    kept = reference(parse({**SMALL, "task": "series"}))
    kept.tape.dy[...] = 0
    assert witness(kept.x, kept.tape, kept.gradients).relative_error == 0


def test_a_small_gradient_is_compared_at_its_own_size() -> None:
    kept = reference(parse({**SMALL, "task": "series"}))
    kept.tape.dy[...] *= 1e-200
    assert witness(kept.x, kept.tape, kept.gradients).relative_error <= 1e-12
    false = {**kept.gradients.blocks, "l0.W_hh": np.zeros((16, 4))}
    assert witness(kept.x, kept.tape, replace(kept.gradients, blocks=false)).relative_error > 0
