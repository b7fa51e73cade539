"""The PyTorch tap changes nothing: losses and weights bit for bit, whatever the order of backward, step and cut.

And k1/k2 loops, in the forms in which they are written; norms before and after clipping; what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from taps.torch_tap import Tap
from tests.peers.tap_programs import Program, train
from tests.peers.tap_traces import Trace, documented, trace, windows

PROGRAMS = {
    "LSTM": Program(),
    "GRU, two layers, dropout": Program("GRU", layers=2, dropout=0.4),
    "LSTM, three layers, dropout, batch first": Program(layers=3, dropout=0.2, batch_first=True),
    "RNN, one backward for all windows": Program("RNN", backward="once"),
    "LSTM, retained graphs": Program(carry=lambda state: state, backward="retain"),
    "GRU, reset": Program("GRU", carry=lambda state: None),
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("skip", [0, 2])
def test_losses_and_weights_are_the_same_bit_for_bit(name: str, skip: int, tmp_path: Path) -> None:
    program = PROGRAMS[name]
    alone = train(program)
    made: list[Tap] = []

    def make(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tap:
        made.append(Tap(tmp_path / "trace.npz", model, optimizer, updates=1, skip=skip))
        return made[0]

    losses, weights, model = train(program, make)
    recorded = skip == 0 or program.backward == "window"
    with nullcontext() if recorded else pytest.warns(UserWarning, match=r"before skip=2 updates had passed \(1 did\)"):
        made[0].close()
    assert losses == alone[0]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(weights, alone[1], strict=True))
    assert (tmp_path / "trace.npz").exists() == recorded
    assert _hooks(model, made[0].optimizer) == 0


def _hooks(model: nn.Module, optimizer: torch.optim.Optimizer) -> int:
    modules = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules())
    tensors = sum(len(p._post_accumulate_grad_hooks or ()) for p in model.parameters())
    return modules + tensors + len(optimizer._optimizer_step_pre_hooks) + len(optimizer._optimizer_step_post_hooks)


def test_random_numbers_are_drawn_as_without_it(tmp_path: Path) -> None:
    train(PROGRAMS["GRU, two layers, dropout"])
    wanted = torch.rand(3)
    train(PROGRAMS["GRU, two layers, dropout"], lambda m, o: Tap(tmp_path / "trace.npz", m, o))
    assert torch.equal(torch.rand(3), wanted)
    assert trace(tmp_path / "trace.npz").meta["verified"]["outputs"] < 1e-6  # the same dropout, too


def test_norms_before_and_after_clipping(tmp_path: Path) -> None:
    norms: list[list[float]] = []

    class Watched(Tap):
        def loss(self, loss: Tensor) -> None:  # type: ignore[override]
            super().loss(loss)
            if not norms:
                named = [p for _, p in self.parameters]
                norms.append([float(g.norm()) for g in torch.autograd.grad(loss.mean(), named, retain_graph=True)])

    train(Program(clip=0.05), lambda m, o: Watched(tmp_path / "trace.npz", m, o, updates=2))
    found = trace(tmp_path / "trace.npz")
    np.testing.assert_allclose(found.arrays["norm_before"][0], norms[0], rtol=1e-5)
    total = np.sqrt((found.arrays["norm_after"] ** 2).sum(axis=1))
    np.testing.assert_allclose(total, 0.05, rtol=1e-3)
    assert found.meta["parameters"][0] == "rnn.weight_ih_l0"
    assert (found.arrays["memory"] > 1e7).all()


def k1k2(tmp_path: Path, loop: Callable[..., None], T: int = 18, k1: int = 3, k2: int = 6) -> Trace:
    """A GRU cell, an update every k1 steps that goes k2 back; runs those steps again, or hands the gradient on."""
    torch.manual_seed(2)
    model = nn.ModuleDict({"cell": nn.GRUCell(3, 4), "readout": nn.Linear(4, 1)})
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    xs = torch.randn(T, 2, 3)
    with Tap(tmp_path / "trace.npz", model, optimizer, updates=T // k1, declared=f"k1k2:{k1},{k2}") as tap:
        loop(tap, model, optimizer, xs, k1, k2)
    return trace(tmp_path / "trace.npz")


def _run_again(tap: Tap, model: Any, optimizer: Any, xs: Tensor, k1: int, k2: int) -> None:
    known = [torch.zeros(2, 4)]  # known[t] is the state that step t starts from
    for end in range(k1, len(xs) + 1, k1):
        start = max(0, end - k2)
        h, losses = known[start], []
        for t in range(start, end):
            h = model["cell"](xs[t], h)
            loss = model["readout"](h).square().mean() if t >= end - k1 else None
            tap.step(h=h, at=t, loss=loss)
            losses += [] if loss is None else [loss]
            known[t + 1 :] = [h.detach()]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()


def _handed_on(tap: Tap, model: Any, optimizer: Any, xs: Tensor, k1: int, k2: int, clear: bool = True) -> None:
    """The form that is passed around: every step detached, state.grad handed to the step before. As it is passed
    around the states' gradients are not cleared, and pile up from one backward pass to the next."""
    states = [(torch.zeros(2, 4), torch.zeros(2, 4))]
    for t, x in enumerate(xs):
        state = states[-1][1].detach().requires_grad_()
        new = model["cell"](x, state)
        loss = model["readout"](new).square().mean()
        tap.step(h=new, loss=loss if (t + 1) % k1 == 0 else None)
        states = [*states, (state, new)][-k2 - 1 :]
        if (t + 1) % k1 == 0:
            loss.backward(retain_graph=True)
            for j in range(1, min(k2, len(states) - 1)):
                states[-j - 1][1].backward(states[-j][0].grad, retain_graph=True)
            for state, _ in states if clear else ():
                state.grad = None
    optimizer.step()


def test_k1k2_that_runs_its_steps_again(tmp_path: Path) -> None:
    found = k1k2(tmp_path, _run_again)
    assert found.meta["windows"] == list(range(0, 18, 3))
    assert found.first("h") == [max(0, (s // 3 + 1) * 3 - 6) for s in range(18)]
    assert found.solid("h")
    assert found.meta["declared"] == {"style": "k1k2", "k1": 3, "k2": 6}


def test_k1k2_that_hands_its_gradient_on(tmp_path: Path) -> None:
    """The graph leads nowhere; what arrived, step by step, is what the same steps in one graph give."""
    found = k1k2(tmp_path, _handed_on)
    assert found.losses == [2, 5, 8, 11, 14, 17]
    assert found.first("h") == [max(0, s + 1 - 6) for s in found.losses]
    assert any("handed on" in note for note in found.meta["notes"])
    torch.manual_seed(2)
    model = nn.ModuleDict({"cell": nn.GRUCell(3, 4), "readout": nn.Linear(4, 1)})
    xs, states = torch.randn(18, 2, 3), [torch.zeros(2, 4)]
    for x in xs:
        states.append(model.cell(x, states[-1]))
    for r, s in enumerate(found.losses):
        reached = range(max(0, s + 1 - 6), s + 1)
        grads = torch.autograd.grad(model.readout(states[s + 1]).square().mean(), [states[t + 1] for t in reached],
                                    retain_graph=True)
        wanted = [float(grad.norm(dim=1).sum()) for grad in grads]
        np.testing.assert_allclose(found.row("credit", "h")[r, list(reached)], wanted, rtol=1e-5)
    piled_up = k1k2(tmp_path, partial(_handed_on, clear=False))
    assert piled_up.first("h") == found.first("h")
    assert piled_up.row("credit", "h")[-1, 12] > 2 * found.row("credit", "h")[-1, 12]  # the bug shows


def test_losses_of_every_shape_mean_the_same(tmp_path: Path) -> None:
    shapes = {"(T, B)": lambda each: each, "(T,)": lambda each: each.mean(1), "(B, T)": lambda each: each.T,
              "flat": lambda each: each.reshape(-1), "callable": lambda each: lambda: each}
    found = {}
    for name, shape in shapes.items():
        class Shaped(Tap):
            def loss(self, loss: Tensor, shape: Any = shape) -> None:  # type: ignore[override]
                super().loss(shape(loss))

        train(Program(), lambda m, o, kind=Shaped: kind(tmp_path / "trace.npz", m, o))
        found[name] = trace(tmp_path / "trace.npz")
    for name, other in found.items():
        np.testing.assert_allclose(other.arrays["credit"], found["(T, B)"].arrays["credit"], rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(other.arrays["loss"], found["(T, B)"].arrays["loss"], rtol=1e-6)


def test_one_number_for_a_window_stands_at_its_last_step(tmp_path: Path) -> None:
    class Whole(Tap):
        def loss(self, loss: Tensor) -> None:  # type: ignore[override]
            super().loss(loss.mean())

    train(Program(), lambda m, o: Whole(tmp_path / "trace.npz", m, o, states=True))
    found = trace(tmp_path / "trace.npz")
    assert found.losses == [5, 11, 17]
    assert found.first("rnn.l0.h") == [0, 6, 12]
    assert found.arrays["states_0"].shape == (18, 3, 16)
    kept = np.linalg.norm(found.arrays["states_1"], axis=2).mean(1)
    np.testing.assert_allclose(kept, found.row("state", "rnn.l0.c"), rtol=1e-6)


def test_evaluation_between_updates_is_not_recorded(tmp_path: Path) -> None:
    model = nn.ModuleDict({"rnn": nn.GRU(2, 3), "readout": nn.Linear(3, 1)})
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=2)
    for _ in range(2):
        model.eval()
        with torch.no_grad():
            tap.loss(model["readout"](model["rnn"](torch.randn(9, 2, 2))[0]).square().mean((1, 2)))
        model.train()
        each = model["readout"](model["rnn"](torch.randn(4, 2, 2))[0]).square().mean((1, 2))
        tap.loss(each)
        each.sum().backward()
        optimizer.step()
    assert trace(tmp_path / "trace.npz").losses == list(range(8))


def test_what_does_not_fit_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="declared='windows:3'"):
        Tap(tmp_path / "trace.npz", declared="windows:3")
    with pytest.raises(ValueError, match="updates=0"):
        Tap(tmp_path / "trace.npz", updates=0)
    tap = Tap(tmp_path / "trace.npz", nn.GRU(2, 3))
    with pytest.raises(ValueError, match="before any state"):
        tap.loss(torch.zeros(()))
    tap.model(torch.randn(4, 5, 2))
    with pytest.raises(ValueError, match="fit neither"):
        tap.loss(torch.zeros(7))
    with pytest.raises(ValueError, match="each layer's state"):
        tap.step(h=torch.zeros(2, 3, 4))
    tap.close()


def test_a_program_that_ends_early_leaves_its_trace(tmp_path: Path) -> None:
    """Without `with`: what was recorded is written when the interpreter ends."""
    program = ("import sys, torch; from taps.torch_tap import Tap\n"
               "cell = torch.nn.RNNCell(2, 3); tap = Tap(sys.argv[1], cell); h = torch.zeros(4, 3)\n"
               "for x in torch.randn(5, 4, 2):\n    h = cell(x, h); tap.step(h=h, loss=h.square().mean())\n")
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "trace.npz")], check=True, timeout=120)
    assert trace(tmp_path / "trace.npz").first("h") == [0] * 5


def test_nothing_recorded_is_said_and_not_written(tmp_path: Path) -> None:
    model = nn.GRU(2, 3)
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(4, 2, 2), [4, 3])
    with (pytest.warns(UserWarning, match="nothing was recorded, and .* is not written: no forward pass"),
          pytest.raises(TypeError, match="packed sequences are not unrolled"), Tap(tmp_path / "trace.npz", model)):
        model(packed)
    assert not (tmp_path / "trace.npz").exists()


def test_the_documented_programs_run(tmp_path: Path) -> None:
    module, own = documented("torch_tap", tmp_path)
    assert module.meta["windows"] == [0, 20, 40]
    assert module.first("rnn.l0.c") == windows(60, 20)
    assert own.first("c") == [0] * 40
    assert list(own.arrays["edge"][:, 10]) == [1, 0]  # h, c
