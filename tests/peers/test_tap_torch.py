"""The PyTorch tap on real programs: it finds the staircase that autograd itself shows, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import Given, analyze, import_weights, parse
from engine.recorded.reach import reach_of
from engine.recorded.words import sentences
from taps.torch_tap import Tap
from tests.peers.tap_programs import Characters, Loop, Program, characters, detached, loop, train
from tests.peers.tap_traces import Trace, trace, windows

MODULES = ("LSTM", "GRU", "RNN")
SYMBOLS = "_abcdefghijklmnopqrstuvwxyz"


def tapped(path: Path, **options: Any) -> Any:
    return lambda model, optimizer: Tap(path, model, optimizer, **options)


def recorded(tmp_path: Path, program: Program, **options: Any) -> Trace:
    train(program, tapped(tmp_path / "trace.npz", **({"updates": program.windows} | options)))
    return trace(tmp_path / "trace.npz")


@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_detached_character_model_reaches_its_windows_start(kind: str, batch_first: bool, tmp_path: Path) -> None:
    found = recorded(tmp_path, Program(kind, batch_first=batch_first, layers=2), declared="window:6,carry")
    assert found.meta["windows"] == [0, 6, 12, 18]
    assert found.meta["declared"] == {"style": "window", "k": 6, "value": "carry"}
    for name in found.meta["rows"]:
        assert found.first(name) == windows(24, 6)
        assert found.solid(name)
        assert list(found.row("edge", name)) == [2] + [int(t % 6 != 0) for t in range(1, 24)]
        assert list(found.row("value", name)) == [0] + [1] * 23
    assert found.meta["verified"]["outputs"] < 1e-6
    assert found.meta["notes"] == []


@pytest.mark.parametrize("kind", MODULES)
def test_without_the_cut_every_loss_reaches_the_first_step(kind: str, tmp_path: Path) -> None:
    found = recorded(tmp_path, Program(kind, carry=lambda state: state, backward="once"), updates=1)
    for name in found.meta["rows"]:
        assert found.first(name) == [0] * 24
        assert found.solid(name)
        assert (found.row("edge", name)[1:] == 1).all()
        assert found.row("credit", name)[-1, 0] > 0


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("kind", MODULES)
def test_the_credit_is_the_engines(kind: str, dtype: torch.dtype, tolerance: float, tmp_path: Path) -> None:
    """The same weights and text, never moved (a rate of 0): the engine's credit under window(6), and its states."""
    program = Program(kind, dtype=dtype, rate=0.0)
    _, weights, model = train(program, tapped(tmp_path / "trace.npz", updates=4))
    found = trace(tmp_path / "trace.npz")
    exact = _engine(program, model)
    inside = np.arange(24) >= exact.plan.reach[:, None]
    for part, credit, states in (("h", exact.credit.h, exact.states.h), ("c", exact.credit.c, exact.states.c)):
        if credit is not None and states is not None:
            name = f"rnn.l0.{part}"
            assert _differs(found.row("credit", name), credit * inside) < tolerance
            assert _differs(found.row("state", name), states) < tolerance
    assert _differs(found.arrays["loss"], exact.loss.per_step) < tolerance
    assert weights


@pytest.mark.parametrize("kind", MODULES)
def test_what_arrived_is_the_engines_gradient_by_layer(kind: str, tmp_path: Path) -> None:
    program = Program(kind, dtype=torch.float64, rate=0.0, layers=2)
    _, _, model = train(program, tapped(tmp_path / "trace.npz", updates=4))
    found, exact = trace(tmp_path / "trace.npz"), _engine(program, model)
    for layer in range(2):
        assert _differs(found.row("grad", f"rnn.l{layer}.h") * 6, exact.truncated.h_by_layer[layer]) < 1e-10
        if exact.truncated.c_by_layer is not None:
            assert _differs(found.row("grad", f"rnn.l{layer}.c") * 6, exact.truncated.c_by_layer[layer]) < 1e-10


def _engine(program: Program, model: nn.Module) -> Any:
    text = characters(25, program.B).numpy()
    arrays = {name: p.detach().numpy() for name, p in model.named_parameters()}
    blocks = import_weights("pytorch", program.kind.lower(), arrays)
    config = parse({"cell": program.kind.lower(), "hidden": 16, "layers": program.layers, "steps": 24, "batch": 3,
                    "k": 6, "task": "text", "text": SYMBOLS * 2})
    given = Given(weights=blocks, inputs=text[:-1], targets=text[1:], vocabulary=tuple(SYMBOLS))
    return analyze(config, given, include=frozenset({"credit"}), certify=False)


def _differs(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


CUTS = {
    "none": lambda t, h, c: (h, c),
    "both every 4": lambda t, h, c: (h.detach(), c.detach()) if t % 4 == 0 else (h, c),
    "h every 4, c never": lambda t, h, c: (h.detach() if t % 4 == 0 else h, c),
    "c every 4, h never": lambda t, h, c: (h, c.detach() if t % 4 == 0 else c),
    "every step": lambda t, h, c: (h.detach(), c.detach()),
    ".data every 3": lambda t, h, c: (h.data, c.data) if t % 3 == 0 else (h, c),
    "reset every 5": lambda t, h, c: (h * 0, torch.zeros_like(c)) if t % 5 == 0 else (h, c),
    "a new tensor every 4": lambda t, h, c: (torch.tensor(h.tolist(), dtype=h.dtype), c.clone().detach())
    if t % 4 == 0 else (h, c),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_cell_loop_shows_what_autograd_shows(name: str, tmp_path: Path) -> None:
    loop(12, CUTS[name], tapped(tmp_path / "trace.npz", updates=1))
    found, wanted = trace(tmp_path / "trace.npz"), loop(12, CUTS[name])
    for part in ("h", "c"):
        assert (found.row("connected", part) == wanted.connected(part)).all()
        np.testing.assert_allclose(found.row("credit", part), wanted.credit(part), rtol=1e-12)


def test_whose_edge_the_gradient_takes(tmp_path: Path) -> None:
    cases = {"h every 4, c never": (0, 1), "c every 4, h never": (1, 0), "both every 4": (0, 0), "none": (1, 1)}
    for cut, (h, c) in cases.items():
        loop(12, CUTS[cut], tapped(tmp_path / "trace.npz", updates=1))
        found = trace(tmp_path / "trace.npz")
        assert [found.row("edge", "h")[8], found.row("edge", "c")[8]] == [h, c]
        assert (found.row("edge", "h")[[5, 6, 7]] == 1).all()
        assert found.meta["windows"] == ([0] if cut == "none" else [0, 4, 8])
        assert (found.arrays["value"][:, 1:] == 1).all()  # all of them carry the value


def test_a_step_without_gradient_cuts_and_a_reset_resets(tmp_path: Path) -> None:
    def step_without(t: int, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        torch.set_grad_enabled(t != 5)
        return h, c

    try:
        loop(10, step_without, tapped(tmp_path / "trace.npz", updates=1))
        wanted = loop(10, step_without)
    finally:
        torch.set_grad_enabled(True)
    found = trace(tmp_path / "trace.npz")
    assert found.first("h") == [0] * 5 + [-1] + [6] * 4
    assert (found.row("connected", "h") == wanted.connected("h")).all()
    zeros = torch.zeros(2, 4, dtype=torch.float64)
    loop(10, lambda t, h, c: (zeros, zeros) if t % 5 == 0 else (h, c), tapped(tmp_path / "trace.npz", updates=1))
    assert list(trace(tmp_path / "trace.npz").row("value", "h")) == [0, 1, 1, 1, 1, 0, 1, 1, 1, 1]


def leak(state: Tensor) -> Tensor:
    """The bug: of a two-layer GRU's state one layer is cut, and the other is not."""
    return torch.stack([state[0].detach(), state[1]])


@pytest.mark.parametrize("backward", ["once", "retain"])
def test_a_leak_through_one_layer_is_found(backward: str, tmp_path: Path) -> None:
    program = Program("GRU", layers=2, carry=leak, backward=backward, dtype=torch.float64)
    found = recorded(tmp_path, program, updates=1)
    mended = recorded(tmp_path, replace(program, carry=detached), updates=1)
    for name in found.meta["rows"]:
        assert found.first(name) == [0] * 24  # the lower layer is reached by way of the upper one
        assert mended.first(name) == windows(24, 6)
    assert [found.row("edge", f"rnn.l{layer}.h")[12] for layer in range(2)] == [0, 1]
    assert [mended.row("edge", f"rnn.l{layer}.h")[12] for layer in range(2)] == [0, 0]
    assert found.row("credit", "rnn.l0.h")[-1, 5] > 0


def test_a_leak_into_freed_buffers_is_found_though_the_program_dies(tmp_path: Path) -> None:
    for carry in (leak, lambda state: state):
        with pytest.raises(RuntimeError, match="second time"):
            _in_context(tmp_path, Program("GRU", layers=2, carry=carry))
        found = trace(tmp_path / "trace.npz")
        assert "second time" in found.meta["notes"][0]
        assert found.meta["windows"] == [0, 6]
        assert found.first("rnn.l0.h") == found.first("rnn.l1.h") == [0] * 12
        assert found.row("edge", "rnn.l0.h")[6] == int(carry is not leak)


def test_a_leak_from_the_lower_layer_alone_does_not_reach_the_upper_ones_last_window(tmp_path: Path) -> None:
    program = Program("GRU", layers=2, windows=2, carry=lambda state: torch.stack([state[0], state[1].detach()]),
                      backward="once")
    found = recorded(tmp_path, program, updates=1)
    assert found.first("rnn.l0.h") == [0] * 12
    assert found.first("rnn.l1.h") == windows(12, 6)


def _in_context(tmp_path: Path, program: Program) -> None:
    taps: list[Tap] = []

    def make(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tap:
        taps.append(Tap(tmp_path / "trace.npz", model, optimizer, updates=4))
        return taps[0].__enter__()

    try:
        train(program, make)
    except RuntimeError as error:
        taps[0].__exit__(type(error), error, None)
        raise


def test_the_staircase_of_a_loop_is_that_of_unrolled(tmp_path: Path) -> None:
    """What Unrolled reads from the file: the reach of every loss, exact."""
    loop(12, CUTS["both every 4"], tapped(tmp_path / "trace.npz", updates=1, declared="window:4"))
    found = trace(tmp_path / "trace.npz").recorded
    assert found.reached is not None
    assert found.reached.by_graph
    assert (found.reached.first == windows(12, 4)).all()
    assert (found.reached.gaps == 0).all()
    assert isinstance(loop(4, CUTS["none"]), Loop)


def test_unrolled_says_what_leaks(tmp_path: Path) -> None:
    """The sentences of the reach test, on what real programs recorded."""
    programs = {
        "c every 4, h never": "You cut every 4 steps. c is cut, h is not: the gradient leaks through h across windows.",
        "h every 4, c never": "You cut every 4 steps. h is cut, c is not: the gradient leaks through c across windows.",
        "both every 4": "The loss at step 11 reaches step 8 and no further.",
    }
    for cut, sentence in programs.items():
        loop(12, CUTS[cut], tapped(tmp_path / "trace.npz", updates=1, declared="window:4"))
        found = trace(tmp_path / "trace.npz").recorded
        said = " ".join(sentences(found, reach_of(found)))
        assert sentence in said
        assert ("it is what was found" in said) == (cut == "both every 4")


def test_modules_that_cannot_be_unrolled_are_refused(tmp_path: Path) -> None:
    for options, why in (({"bidirectional": True}, "bidirectional"), ({"proj_size": 4}, "projected")):
        with pytest.raises(ValueError, match=why):
            Tap(tmp_path / "trace.npz", Characters(**options))
    assert not (tmp_path / "trace.npz").exists()
