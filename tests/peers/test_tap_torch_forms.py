"""The forms in which programs are written: where the losses come from, how modules are called, what a batch is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from engine.recorded import parse_expected, reach_of
from taps.torch_tap import Tap
from tests.peers.tap_traces import Trace, trace, windows


def parts(**modules: nn.Module) -> tuple[Any, torch.optim.Optimizer]:
    """Returns the modules as one model, with a readout to one number, and an optimizer."""
    torch.manual_seed(0)
    width = next(module.hidden_size for module in reversed(list(modules.values())))
    model = nn.ModuleDict({**modules, "out": nn.Linear(width, 1)})
    return model, torch.optim.SGD(model.parameters(), 0.1)


def each(model: Any, hs: Tensor) -> Tensor:
    return model.out(hs).square().mean(-1)


@pytest.mark.parametrize("through_step", [False, True])
def test_a_module_that_is_called_for_one_step_at_a_time(through_step: bool, tmp_path: Path) -> None:
    model, optimizer = parts(rnn=nn.LSTM(3, 4, 2))
    tap, state = Tap(tmp_path / "trace.npz", model, optimizer, updates=2), None
    for _ in range(2):
        losses = []
        for _ in range(4):
            hs, state = model.rnn(torch.randn(1, 2, 3), state)
            losses.append(each(model, hs).mean())
            (lambda loss: tap.step(loss=loss) if through_step else tap.loss(loss))(losses[-1])
        torch.stack(losses).mean().backward()
        optimizer.step()
        state = tuple(part.detach() for part in state)
    _is_staircase(trace(tmp_path / "trace.npz"), windows(8, 4))


def _is_staircase(found: Trace, first: list[int]) -> None:
    for name in found.meta["rows"]:
        assert found.first(name) == first
        assert found.solid(name)
        assert [t for t, leads in enumerate(found.row("edge", name)) if leads == 0] == sorted(set(first) - {0})
        assert (found.row("value", name)[1:] == 1).all()


def test_losses_from_one_tensor_of_all_the_steps_of_a_loop(tmp_path: Path) -> None:
    """The graph knows a stack of all states as a whole; the tap tells its slices apart."""
    for cut, first in ((4, windows(8, 4)), (99, [0] * 8)):
        model, _ = parts(cell=nn.GRUCell(3, 4))
        tap, h, hs = Tap(tmp_path / "trace.npz", model, updates=1), torch.zeros(2, 4), []
        for t in range(8):
            h = model.cell(torch.randn(2, 3), h.detach() if t % cut == 0 else h)
            tap.step(h=h)
            hs.append(h)
        losses = each(model, torch.stack(hs))
        tap.loss(losses)
        losses.mean().backward()
        tap.update()
        _is_staircase(trace(tmp_path / "trace.npz"), first)


def test_losses_by_window_of_a_loop_with_one_backward_at_its_end(tmp_path: Path) -> None:
    model, optimizer = parts(cell=nn.LSTMCell(3, 4))
    tap, total = Tap(tmp_path / "trace.npz", model, optimizer, updates=1), torch.zeros(())
    h = c = torch.zeros(2, 4)
    for _ in range(3):
        hs = []
        for _ in range(3):
            h, c = model.cell(torch.randn(2, 3), (h, c))
            tap.step(h=h, c=c)
            hs.append(h)
        losses = each(model, torch.stack(hs))
        tap.loss(losses)
        total, h, c = total + losses.mean(), h.detach(), c.detach()
    total.backward()
    optimizer.step()
    found = trace(tmp_path / "trace.npz")
    _is_staircase(found, windows(9, 3))
    assert found.meta["windows"] == [0, 3, 6]


def test_outputs_of_several_windows_in_one_loss_and_a_leak_in_one_of_them(tmp_path: Path) -> None:
    model, optimizer = parts(rnn=nn.GRU(3, 4, 2))
    tap, state, outputs = Tap(tmp_path / "trace.npz", model, optimizer, updates=1), None, []
    for window in range(3):
        hs, state = model.rnn(torch.randn(4, 2, 3), state)
        outputs.append(hs)
        state = torch.stack([state[0].detach(), state[1]]) if window == 1 else state.detach()
    losses = each(model, torch.cat(outputs))
    tap.loss(losses)
    losses.mean().backward()
    optimizer.step()
    found = trace(tmp_path / "trace.npz")
    assert found.first("rnn.l0.h") == found.first("rnn.l1.h") == [0] * 4 + [4] * 8
    assert [found.row("edge", f"rnn.l{layer}.h")[t] for t in (4, 8) for layer in (0, 1)] == [0, 0, 0, 1]


@pytest.mark.parametrize("steps", [3, 5])
def test_an_encoder_and_a_decoder_follow_each_other(steps: int, tmp_path: Path) -> None:
    model, optimizer = parts(enc=nn.GRU(3, 4), dec=nn.GRU(3, 4))
    tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=2)
    for _ in range(2):
        last = model.enc(torch.randn(5, 2, 3))[1]
        losses = each(model, model.dec(torch.randn(steps, 2, 3), last)[0])
        tap.loss(losses)
        losses.mean().backward()
        optimizer.step()
    found, length = trace(tmp_path / "trace.npz"), 5 + steps
    assert found.meta["windows"] == [0, 5, length, length + 5]
    assert found.first("enc.l0.h") == [0] * steps + [length] * steps
    assert found.first("dec.l0.h") == [5] * steps + [length + 5] * steps
    reach = reach_of(found.recorded, parse_expected("full"))
    assert reach is not None
    assert reach.agrees


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # the compiler looks at it itself
@pytest.mark.parametrize("skip", [0, 1])
def test_torch_compile_leaves_the_tap_alone(skip: int, tmp_path: Path) -> None:
    """Also where the tap's hooks come after the first call of what was compiled."""
    model, optimizer = parts(rnn=nn.LSTM(3, 4))

    def run(x: Tensor, state: Any) -> tuple[Tensor, Any]:
        hs, state = model.rnn(x, state)
        return each(model, hs), state

    compiled, state = torch.compile(run, backend="aot_eager"), None
    tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=2, skip=skip, declared="window:4,carry")
    for _ in range(4):
        losses, state = compiled(torch.randn(4, 2, 3), state)
        tap.loss(losses)
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        state = tuple(part.detach() for part in state)
    found = trace(tmp_path / "trace.npz")
    _is_staircase(found, windows(8, 4))
    assert found.meta["verified"]["outputs"] < 1e-6


def test_modules_on_top_of_each_other_share_their_steps(tmp_path: Path) -> None:
    model, optimizer = parts(below=nn.LSTM(3, 4), above=nn.LSTM(4, 5))
    tap, states = Tap(tmp_path / "trace.npz", model, optimizer, updates=2), [None, None]
    for _ in range(2):
        hs, below = model.below(torch.randn(4, 2, 3), states[0])
        hs, above = model.above(hs, states[1])
        losses = each(model, hs)
        tap.loss(losses)
        losses.mean().backward()
        optimizer.step()
        states = [tuple(part.detach() for part in state) for state in (below, above)]
    found = trace(tmp_path / "trace.npz")
    assert found.meta["rows"] == ["below.l0.h", "below.l0.c", "above.l0.h", "above.l0.c"]
    _is_staircase(found, windows(8, 4))


def test_one_sample_without_a_batch_and_a_smaller_last_batch(tmp_path: Path) -> None:
    model, optimizer = parts(rnn=nn.RNN(3, 4, nonlinearity="relu"))
    for shapes in ([(4, 3)], [(4, 3, 3), (4, 3, 3), (4, 2, 3)]):
        tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=len(shapes), states=True)
        for shape in shapes:
            losses = each(model, model.rnn(torch.randn(*shape))[0])
            tap.loss(losses)
            losses.mean().backward()
            optimizer.step()
        found = trace(tmp_path / "trace.npz")
        assert found.first("rnn.l0.h") == windows(4 * len(shapes), 4)
        assert ("states_0" in found.arrays) == (len(shapes) == 1)
    assert "changed from 3 to 2 samples" in found.meta["notes"][0]


def test_updates_by_hand_with_several_backward_passes_each(tmp_path: Path) -> None:
    model, _ = parts(rnn=nn.GRU(3, 4))
    tap = Tap(tmp_path / "trace.npz", model, updates=2)
    for _ in range(2):
        for _ in range(2):
            losses = each(model, model.rnn(torch.randn(4, 3, 3))[0])
            tap.loss(losses)
            losses.mean().backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
        tap.update()
        model.zero_grad()
    found = trace(tmp_path / "trace.npz")
    assert found.meta["windows"] == [0, 4, 8, 12]
    assert found.arrays["norm_before"].shape == (2, 6)
    assert (found.arrays["norm_before"] == found.arrays["norm_after"]).all()


def test_a_state_that_stays_for_a_step_or_has_two_names(tmp_path: Path) -> None:
    model, _ = parts(cell=nn.GRUCell(3, 4))
    with Tap(tmp_path / "trace.npz", model) as tap:
        h = torch.zeros(2, 4)
        for t in range(6):
            h = model.cell(torch.randn(2, 3), h) if t != 3 else h
            tap.step(h=h, also=h, loss=each(model, h).mean())
    found = trace(tmp_path / "trace.npz")
    _is_staircase(found, [0] * 6)
    assert found.row("credit", "h")[5, 2] == found.row("credit", "also")[5, 3] > 0


def test_a_loss_that_is_handed_over_too_late_still_shows_the_way(tmp_path: Path) -> None:
    """After backward() the buffers are gone and there is no credit; the graph itself still says where it leads."""
    model, optimizer = parts(rnn=nn.LSTM(3, 4))
    tap, state = Tap(tmp_path / "trace.npz", model, optimizer, updates=2), None
    for _ in range(2):
        hs, state = model.rnn(torch.randn(4, 2, 3), state)
        losses = each(model, hs)
        losses.mean().backward()
        tap.loss(losses)
        optimizer.step()
        state = tuple(part.detach() for part in state)
    found = trace(tmp_path / "trace.npz")
    assert found.first("rnn.l0.h") == windows(8, 4)
    assert "gone" in found.meta["notes"][0]
    inside = found.row("connected", "rnn.l0.h") == 1
    assert torch.tensor(found.row("credit", "rnn.l0.h")[inside]).isnan().all()


def test_weights_in_half_precision_and_modules_without_biases(tmp_path: Path) -> None:
    for dtype, worst in ((torch.bfloat16, 0.1), (torch.float64, 1e-12)):
        model, optimizer = parts(rnn=nn.GRU(3, 4, bias=False))
        model.to(dtype)
        tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=1)
        losses = each(model, model.rnn(torch.randn(4, 2, 3, dtype=dtype))[0])
        tap.loss(losses)
        losses.mean().backward()
        optimizer.step()
        found = trace(tmp_path / "trace.npz")
        assert found.first("rnn.l0.h") == [0] * 4
        assert found.meta["verified"]["outputs"] < worst


@pytest.mark.parametrize("scale", [1.0, 1024.0])
def test_a_loss_that_was_scaled_is_said(scale: float, tmp_path: Path) -> None:
    """As GradScaler does; what the tap asks for itself is not scaled."""
    model, optimizer = parts(rnn=nn.GRU(3, 4))
    tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=1)
    losses = each(model, model.rnn(torch.randn(4, 2, 3))[0])
    tap.loss(losses)
    (losses.sum(0).mean() * scale).backward()
    optimizer.step()
    found = trace(tmp_path / "trace.npz")
    assert [note for note in found.meta["notes"] if "a scaled loss (GradScaler)" in note] == found.meta["notes"]
    assert len(found.meta["notes"]) == (scale > 1)


class Odd(nn.RNN):
    """A module that is not what its class says."""

    def forward(self, *args: Any) -> Any:
        hs, last = super().forward(*args)
        return hs + 0.1, last


def test_a_module_that_cannot_be_reproduced_is_said(tmp_path: Path) -> None:
    model, optimizer = parts(rnn=Odd(3, 4))
    tap = Tap(tmp_path / "trace.npz", model, optimizer, updates=1)
    with pytest.warns(UserWarning, match="rnn unrolled differs from the module itself"):
        hs, _ = model.rnn(torch.randn(4, 2, 3))
    losses = each(model, hs)
    tap.loss(losses)
    losses.mean().backward()
    optimizer.step()
    found = trace(tmp_path / "trace.npz")
    assert found.meta["verified"]["outputs"] > 0.01
    assert "not to be relied on" in found.meta["notes"][0]
