"""torch_tap: how far does the gradient reach in your own PyTorch model, and where is its graph cut?

One file that needs PyTorch and NumPy. Copy it beside your program and add three lines:

    from torch_tap import Tap
    tap = Tap("trace.npz", model, optimizer)            # nn.LSTM, nn.GRU, nn.RNN in `model` are recorded by themselves
    ...
        tap.loss(each)                                  # before backward(): the losses per step, (T, B), (B, T) or (T,)

or, where the program has a loop of its own over the time steps:

        tap.step(h=h, c=c, loss=loss)                   # in the loop, after each step

It records the first `updates` updates (after `skip` others), writes the trace and takes everything away again. Your
program computes what it computed before, bit for bit: modules run as they are, and are unrolled beside it with the
same weights. Which losses reach which states is asked of autograd's graph (`connected`, which also holds where buffers
were freed), and how strongly of autograd itself (`credit`). Nothing needs to be said about detach().

The trace is an .npz without pickle: see docs/traces.md of Unrolled, which shows it. MIT licence.
"""

from __future__ import annotations

import atexit
import json
import os
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

VERSION = 1
WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
CELLS = (nn.LSTMCell, nn.GRUCell, nn.RNNCell)
AGREES = 1e-4  # the unrolled outputs may differ from the module's by this share of the largest one, or 4 roundings
MOST_NOTES, MOST_LOSSES, MOST_LINES = 50, 1024, 4096  # what a trace may hold: notes, losses, losses x rows
LOSSES_TOGETHER, NUMBERS_TOGETHER = 12, 1 << 24  # that go back side by side; few losses have few steps behind them
SCALED = 8.0  # times as much as the losses together send, from which on a note says so
FREED = ("freed", "second time", "inplace operation")


class Tap:
    """Records a few updates of a training loop into the file `path`.

    model       its recurrent modules are found by themselves, its parameters' gradient norms are recorded
    optimizer   tells where an update ends; without one call `tap.update()` after each
    updates     how many consecutive updates are recorded; skip: how many pass by before
    declared    what you believe your truncation is: "full", "window:20", "sliding:20", "k1k2:10,20"
    ask         the credit of every ask-th loss is computed (each costs about a backward pass)
    reduction   "mean" or "sum": how the losses that you hand over, and your own loss, treat the batch
    states      whether the states themselves are kept, and not only their norms"""

    def __init__(self, path: str | os.PathLike[str], model: nn.Module | None = None,
                 optimizer: torch.optim.Optimizer | None = None, *, updates: int = 3, skip: int = 0,
                 declared: str | None = None, ask: int = 1, reduction: str = "mean", states: bool = False) -> None:
        if updates < 1 or skip < 0 or ask < 1 or reduction not in ("mean", "sum"):
            raise ValueError(f"torch_tap: updates={updates}, skip={skip}, ask={ask}, reduction={reduction!r}: updates "
                             "and ask start at 1, skip at 0, and the reduction over the batch is 'mean' or 'sum'.")
        self.path, self.model, self.optimizer = Path(path), model, optimizer
        self.updates, self.skip, self.ask, self.reduction, self.keep = updates, skip, ask, reduction, states
        self.declared = _declared(declared)
        self.modules = {name or type(module).__name__.lower(): module for name, module in _modules(model, nn.RNNBase)}
        for name, module in self.modules.items():
            _require_unrollable(name, module)
        self.recording, self.over, self.seen, self.T = False, False, 0, 0
        atexit.register(self.close)
        self._handles: list[Any] = []
        if optimizer is not None:
            self._step_hooks = [optimizer.register_step_pre_hook(self._before_step),
                                optimizer.register_step_post_hook(self._after_step)]
        else:
            self._step_hooks = []
        if skip == 0:
            self._start()

    def step(self, *, loss: Tensor | None = None, at: int | None = None, **states: Tensor) -> None:
        """One time step of your own loop: its states, each (B, H), by name; and its loss, if it has one.

        `at` is the step's number where it is not the one after the last: a step that is run again."""
        if not self._listening():
            return
        t = at if at is not None else self.T - 1 if self.fresh else self._enter(1)
        if t >= self.T:
            self._enter(t + 1 - self.T)
        self.fresh = False
        points = [self._point(name, t, tensor) for name, tensor in states.items()]
        same = self.graph.watch([(point.edge, [bit]) for bit, point in points if point])
        steps = [child for _, point in points if point for child in _children(point.edge.node, point.edge.output_nr)]
        leaves: list[Tensor] = []
        straight = self._items(same | self.graph.walk(steps, False, leaves))
        self._edges(t, states, {(item.row, item.step) for item in straight if isinstance(item, _Point)})
        self._note_copies(states, leaves)
        self._entering.clear()
        if loss is not None:
            self.loss(loss, at=t)

    def loss(self, loss: Tensor | Callable[[], Tensor], *, at: int | None = None) -> None:
        """The losses of the steps since the window began, or the one of step `at`; before backward() frees the graph.

        One number stands at the last step. A callable is called only while recording."""
        if not self._listening():
            return
        with torch.enable_grad():
            tensor = loss() if callable(loss) else loss
            steps, table, scale = self._table(tensor, at)
        for s, row in zip(steps, table, strict=True):
            self.loss_at[s] = float(row.detach().sum() * scale / self.B)
        asked = [i for i in range(len(steps)) if (len(steps) - 1 - i) % self.ask == 0] if len(steps) > 1 else (
            [0] if steps[0] % self.ask == 0 else [])
        size = sum(done.size for done in self.passes if done.start == self.windows[-1])
        together = max(1, min(LOSSES_TOGETHER, NUMBERS_TOGETHER // max(1, size)))
        for i in range(0, len(asked), together):
            some = asked[i : i + together]
            self._credit([steps[i] for i in some], [table[i].sum() for i in some], scale, len(steps) > 1)

    def enter(self, **states: Tensor) -> None:
        """Optional, before a step of a hand-written cell: the states it starts from, to tell carried from reset."""
        if self.recording:
            self._entering.extend(tensor.detach().clone() for tensor in states.values())

    def note(self, text: str) -> None:
        """Adds a sentence to the trace, once."""
        text = "".join(each if each.isprintable() else " " for each in text)[:2000]
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(text)

    def update(self) -> None:
        """Ends an update; called by the optimizer's hook where an optimizer was given."""
        if self.recording:
            self._close_update()
        self.seen += 1
        if self.seen == self.skip:
            self._start()
        elif self.recording and self.seen >= self.skip + self.updates:
            self._finish()

    def close(self) -> None:
        """Writes what was recorded and removes every hook; nothing where that is done already."""
        self._finish()
        self._let_go()

    def _finish(self) -> None:
        if self.over:
            return
        self.over = True
        atexit.unregister(self.close)
        why = (f"the program ended before skip={self.skip} updates had passed ({self.seen} did)"
               if not self.recording else "no forward pass of a recurrent module in training mode was seen, and "
               "tap.step was not called")
        if self.recording:
            self._stop()
        if self.T:
            arrays = self._arrays()
            _write(self.path, self._meta(), arrays)
        else:
            warnings.warn(f"torch_tap: nothing was recorded, and {self.path} is not written: {why}.", stacklevel=3)

    def _let_go(self) -> None:
        """Removes the optimizer's hooks; not from within them, as it goes through them just then."""
        for handle in self._step_hooks:
            handle.remove()
        self._step_hooks = []

    def _listening(self) -> bool:
        if self.over and self._step_hooks:
            self._let_go()
        return self.recording and (self.model is None or self.model.training)

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if error is not None and self.recording:
            self.note(f"Ended by {type(error).__name__}: {str(error)[:300]}")
        self.close()

    # recording

    def _start(self) -> None:
        self.recording, self.busy, self.dirty, self.fresh, self.T, self.B = True, False, True, False, 0, 0
        self.graph, self.notes, self.windows = _Graph(), list[str](), list[int]()
        self.rows: list[str] = []
        self.parameters = [(name, p) for name, p in _parameters(self.model, self.optimizer) if p.requires_grad]
        self.items: list[_Point | _Port] = []  # by the graph's bit
        self.passes: list[_Pass] = []
        self.norms: dict[tuple[str, int], float] = {}
        self.edge: dict[tuple[str, int], int] = {}
        self.addresses: set[int] = set()
        self.copied = False
        self.handed: list[tuple[_Point, Tensor]] = []  # what arrived since the last window began, where copies are used
        self.origin: dict[tuple[str, int], int] = {}
        self.kept: dict[tuple[str, int], np.ndarray] = {}
        self.final: dict[str, Tensor] = {}
        self.loss_at: dict[int, float] = {}
        self.credit: dict[int, dict[tuple[str, int], float]] = {}
        self.connected: dict[int, set[tuple[str, int]]] = {}
        self.before: list[dict[str, float]] = [{}]
        self.after: list[dict[str, float]] = []
        self.memory: list[int] = []
        self.verified: float | None = None
        self._entering: list[Tensor] = []
        for name, module in self.modules.items():
            self._hook_module(name, module)
        for _, cell in _modules(self.model, CELLS):
            self._handles.append(cell.register_forward_pre_hook(_as_it_is(self._cell_entered), with_kwargs=True))
        for name, p in self.parameters:
            if p.is_leaf:
                self._handles.append(p.register_post_accumulate_grad_hook(self._accumulated(name)))

    def _stop(self) -> None:
        self.recording = False
        self._hand_on()
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if not self.loss_at:
            self.note("No loss was handed over: call tap.loss(...) or tap.step(loss=...).")

    def _enter(self, steps: int) -> int:
        """Makes room for so many more steps; returns the first. A window begins after every backward pass."""
        if self.dirty:
            self._hand_on()
            self.windows.append(self.T)
            self.dirty = False
        self.T += steps
        return self.T - steps

    def _point(self, name: str, t: int, tensor: Tensor) -> tuple[int, _Point | None]:
        """Keeps a state; returns its bit, and what is watched of it."""
        if tensor.dim() not in (1, 2):
            raise ValueError(f"torch_tap: state {name} has shape {tuple(tensor.shape)}; it must be (B, H) or (H,). "
                             "Give each layer's state by a name of its own.")
        self._row(name, 1 if tensor.dim() == 1 else len(tensor))
        self._value(name, t, tensor.detach(), (name, t - 1) in self._reached_points(tensor))
        if not tensor.requires_grad:
            return 0, None
        point = _Point(name, t, tensor)
        self.items.append(point)
        self._handles.append(tensor.register_hook(self._arrived(point)))
        return len(self.items) - 1, point

    def _note_copies(self, states: dict[str, Tensor], leaves: Sequence[Tensor]) -> None:
        """Sees where a step starts from a detached copy that wants a gradient: h.detach().requires_grad_()."""
        if self.addresses & {leaf.data_ptr() for leaf in leaves}:
            self.copied = True
            self.note("A step starts from a detached copy of the last state that wants a gradient of its own, which a "
                      "backward() of yours can hand on to the step before. The graph is cut there; what was handed on "
                      "after a loss and arrived counts as connected to that loss.")
        self.addresses = {state.data_ptr() for state in states.values()}

    def _hand_on(self) -> None:
        """Takes what your backward passes handed on from copy to copy since the last loss as that loss's credit."""
        arrived: dict[str, list[tuple[int, Tensor]]] = defaultdict(list)
        for item, grad in self.handed:
            arrived[item.row].append((item.step, grad))
        s, scale = max(self.credit, default=-1), self.B if self.reduction == "mean" else 1
        for row, grads in arrived.items():
            found = _summed(grads)
            for t, norm in zip(found, _norms(torch.stack(list(found.values()))), strict=True):
                if t < s and norm > 0 and (row, t) not in self.connected[s]:
                    self.connected[s].add((row, t))
                    self.credit[s][row, t] = norm * scale
                    self.edge[row, t + 1] = 1
        self.handed.clear()

    def _edges(self, t: int, rows: Iterable[str], straight: set[tuple[str, int]]) -> None:
        """Keeps which rows' states at t - 1 step t rests on by itself, and not by way of another state."""
        for row in rows:
            if (row, t - 1) in self.norms:
                self.edge[row, t] = max(self.edge.get((row, t), 0), int((row, t - 1) in straight))

    def _value(self, name: str, t: int, value: Tensor, linked: bool,
               candidates: Sequence[Tensor] | None = None) -> None:
        """Keeps a state's norm, and whether its value came from the step before."""
        value = value.reshape(-1, value.shape[-1])
        self.norms[name, t] = _norms(value[None])[0]
        if self.keep:
            self.kept[name, t] = value.cpu().numpy().copy()
        self.origin[name, t] = 1 if linked else _origin(
            self.final.get(name), self._entering if candidates is None else candidates)
        self.final[name] = value.clone()

    def _row(self, name: str, B: int) -> None:
        if name not in self.rows:
            self.rows.append(name)
        if self.B not in (0, B):
            self.note(f"The batch changed from {self.B} to {B} samples within the recording.")
        self.B = B

    def _hook_module(self, name: str, module: nn.RNNBase) -> None:
        drawn: list[Tensor] = []

        def before(module: nn.Module, args: Any) -> None:
            drawn[:] = [torch.random.get_rng_state()]

        def after(module: nn.RNNBase, args: Any, kwargs: Any, output: Any) -> None:
            if self.recording and module.training and not self.busy and not torch.is_inference_mode_enabled():
                self._pass(name, module, *_arguments(*args, **kwargs), output, drawn[0])

        self._handles += [module.register_forward_pre_hook(_as_it_is(before)),
                          module.register_forward_hook(_as_it_is(after), with_kwargs=True)]

    def _pass(self, name: str, module: nn.RNNBase, xs: Tensor, hx: Any, output: Any, drawn: Tensor) -> None:
        """A forward pass of a recurrent module has ended: unrolls it beside, and watches its outputs."""
        if not isinstance(xs, Tensor):
            raise TypeError(f"torch_tap: {name} was given a {type(xs).__name__}; packed sequences are not unrolled. "
                            "Give it the padded tensor while recording.")
        done = _Pass(name, module, xs, hx, drawn)
        given = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
        straight = self.graph.walk(_roots(given), False)
        beside = [each for each in self.passes if each.start == self.passes[-1].start]
        after = {id(item.run) for item in self._items(straight) if isinstance(item, _Port)} & set(map(id, beside))
        if self.dirty or not beside or after or beside[-1].T != done.T or name in [each.name for each in beside]:
            self.dirty = self.dirty or done.T > 1
            done.start = self._enter(done.T)
        else:  # a module on top of another, over the same steps
            done.start = beside[-1].start
        self.fresh = True
        self._verify(done, output)
        self._edges(done.start, done.states, self._last_states(straight))
        for layer in range(done.L):
            for part in done.parts:
                self._record_states(done, layer, part)
        out, last = output
        last = last if isinstance(last, tuple) else (last,)
        ports = [self._port(done, kind, tensor, 1 if kind == "out" else done.L)
                 for kind, tensor in zip(("out", *done.parts), (out, *last), strict=True) if tensor.requires_grad]
        self.graph.watch((port.edge, [port.first + i for i in range(self.items.count(port))]) for port in ports)
        for part, tensor in zip(done.parts, last, strict=True):
            for layer, state in enumerate(tensor.detach().reshape(done.L, done.B, done.H)):
                self.final[done.row(layer, part)] = state.clone()
        self.passes.append(done)

    def _record_states(self, done: _Pass, layer: int, part: str) -> None:
        row = done.row(layer, part)
        self._row(row, done.B)
        entering = [] if done.given is None else [done.given[part][layer]]
        first = [torch.zeros(1)] if done.given is None else entering
        for i, state in enumerate(done.states[row]):
            self._value(row, done.start + i, state.detach(), i > 0, first)
        self.edge |= {(row, done.start + i): 1 for i in range(1, done.T)}

    def _last_states(self, bits: int) -> set[tuple[str, int]]:
        """Returns the rows and steps of the modules' last states among these bits; the last output is one too."""
        out = set()
        for bit, item in enumerate(self.items):
            if bits >> bit & 1 and isinstance(item, _Port):
                layer, part = (item.run.L - 1, "h") if item.kind == "out" else (bit - item.first, item.kind)
                out.add((item.run.row(layer, part), item.run.start + item.run.T - 1))
        return out

    def _port(self, done: _Pass, kind: str, tensor: Tensor, parts: int) -> _Port:
        port = _Port(done, kind, tensor, len(self.items))
        self.items += [port] * parts
        self._handles.append(tensor.register_hook(self._arrived(port)))
        return port

    def _verify(self, done: _Pass, output: Any) -> None:
        ours, theirs = done.outputs["out"].detach(), done.by_time(output[0].detach())
        difference = float((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-30))
        self.verified = max(self.verified or 0.0, difference)
        most = max(AGREES, 4 * torch.finfo(theirs.dtype).eps)
        if not difference <= most:
            text = (f"{done.name} unrolled differs from the module itself by {difference:.1e} of the largest output "
                    f"(more than {most:.1g}): its states' gradients are not to be relied on.")
            warnings.warn(f"torch_tap: {text}", stacklevel=2)
            self.note(text)

    def _cell_entered(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        _, hx = _arguments(*args, **kwargs)
        for tensor in () if hx is None else hx if isinstance(hx, tuple) else (hx,):
            self._entering.append(tensor.detach().clone())

    def _arrived(self, item: _Point | _Port) -> Callable[[Tensor], None]:
        """A hook that adds up what your own backward passes send to a tensor."""
        def hook(grad: Tensor | None) -> None:
            if grad is not None and self.recording and not self.busy:
                self.dirty = True
                item.grad = grad.detach().clone() if item.grad is None else item.grad + grad.detach()
                if self.copied and isinstance(item, _Point):
                    self.handed.append((item, grad.detach().clone()))
        return hook

    def _accumulated(self, name: str) -> Callable[[Tensor], None]:
        def hook(p: Tensor) -> None:
            self.dirty = True
            self.before[-1][name] = _size(p.grad)
        return hook

    def _before_step(self, *_: Any) -> None:
        if self.recording:
            self.after.append({name: _size(p.grad) for name, p in self.parameters})

    def _after_step(self, *_: Any) -> None:
        self.update()

    def _close_update(self) -> None:
        if len(self.after) < len(self.before):
            self._before_step()
        self.before.append({})
        self.memory.append(_resident())
        self.dirty = True

    # credit

    def _table(self, loss: Tensor, at: int | None) -> tuple[list[int], Tensor, int]:
        """Returns the steps of the given losses, the losses (steps, ...) and what makes their sum one per sample."""
        over_batch = self.B if self.reduction == "mean" else 1
        if self.T == 0:
            raise ValueError("torch_tap: a loss came before any state. Call it after the forward pass; modules are "
                             "found in the model that the tap was given.")
        last = self.T - 1 if at is None else at
        if loss.numel() == 1:
            return [last], loss.reshape(1, 1), over_batch
        lengths = [self.passes[-1].T] if self.passes else []  # the last pass, since the last loss, since a window began
        lengths += [last - max(self.loss_at, default=-1), *(self.T - start for start in self.windows[::-1])]
        for n in [1] if at is not None else [n for n in [*lengths, 1] if n > 0]:
            if loss.dim() <= 2 and loss.numel() == n * self.B:
                return list(range(last + 1 - n, last + 1)), self._by_step(loss, n), 1
            if loss.numel() == n:
                return list(range(last + 1 - n, last + 1)), loss.reshape(n, 1), over_batch
        raise ValueError(f"torch_tap: losses of shape {tuple(loss.shape)} fit neither the window's {n} steps nor the "
                         f"{self.B} samples; give one number, (T,), (T, B) or (B, T).")

    def _by_step(self, loss: Tensor, n: int) -> Tensor:
        """Returns (n, B) of (n, B), (B, n) or either of them flattened, as the module has its batch."""
        batch_first = bool(self.passes) and self.passes[-1].batch_first
        if loss.dim() == 2 and n != self.B:
            batch_first = loss.shape[0] == self.B
        return loss.reshape(self.B, n).t() if batch_first else loss.reshape(n, self.B)

    def _reached_points(self, tensor: Tensor) -> set[tuple[str, int]]:
        found = self._items(self.graph.reach(tensor))
        return {(item.row, item.step) for item in found if isinstance(item, _Point)}

    def _items(self, bits: int) -> list[_Point | _Port]:
        unique = {id(item): item for i, item in enumerate(self.items) if bits >> i & 1}
        return list(unique.values())

    def _credit(self, steps: list[int], losses: list[Tensor], scale: int, sliced: bool) -> None:
        """Asks the graph and autograd about these losses of a window; `sliced`: they are parts of one tensor."""
        pushed: dict[int, list[tuple[int, dict[str, Tensor]]]] = defaultdict(list)
        for s, loss in zip(steps, losses, strict=True):
            bits = self.graph.reach(loss)
            items = [item for item in self._items(bits) if item.step <= s]
            grads = self._gradients(loss, items)
            if sliced:
                bits = self._of_slice(bits, items, grads, s)
                grads = [grad for item, grad in zip(items, grads, strict=True) if self._bits(item) & bits]
                items = [item for item in items if self._bits(item) & bits]
            vectors: dict[str, list[tuple[int, Tensor]]] = defaultdict(list)
            self.connected.setdefault(s, set())
            self.credit.setdefault(s, {})
            for item, grad in zip(items, grads, strict=True):
                if isinstance(item, _Point):
                    self.connected[s].add((item.row, item.step))
                    vectors[item.row].append((item.step, torch.full((1, 1), torch.nan) if grad is None else grad))
            for row, found in vectors.items():
                self._add(s, row, _summed(found), scale)
            for done in {item.run for item in items if isinstance(item, _Port)}:
                ports = [(item, grad) for item, grad in zip(items, grads, strict=True)
                         if isinstance(item, _Port) and item.run is done]
                arrived = {item.kind: grad for item, grad in ports if grad is not None}
                reached = {(row, done.start + i) for row, last in done.reached(ports, bits, s).items()
                           for i in range(last + 1)}
                self.connected[s] |= reached
                if len(arrived) == len(ports):
                    pushed[id(done)].append((s, arrived))
                else:
                    self.credit[s] |= dict.fromkeys(reached, np.nan)
        for done in self.passes:
            for s, found in done.push(pushed[id(done)]):
                for row, grads in found.items():
                    self._add(s, row, {done.start + i: grad for i, grad in enumerate(grads)}, scale)

    def _of_slice(self, bits: int, items: Sequence[_Point | _Port], grads: Sequence[Tensor | None], s: int) -> int:
        """Returns the bits of what one of several losses in a tensor leads back to.

        The graph knows a stack of all steps' states as a whole, so the states that the loss reads are those with a
        gradient that is not all zero; from them on it is the graph's word again."""
        read = [item for item, grad in zip(items, grads, strict=True) if grad is not None and bool(grad.any())]
        read = read or [item for item in items if item.step <= s < item.step + item.length]
        found = 0
        for item in read:
            found |= self._bits(item) | self.graph.past(item.edge)
        return bits & found

    def _bits(self, item: _Point | _Port) -> int:
        return _mask(self.graph.watched[item.edge.node, item.edge.output_nr])

    def _add(self, s: int, row: str, grads: dict[int, Tensor], scale: int) -> None:
        for step, value in zip(grads, _norms(torch.stack(list(grads.values()))), strict=True):
            self.credit[s][row, step] = value * scale

    def _gradients(self, loss: Tensor, items: Sequence[_Point | _Port]) -> list[Tensor | None]:
        """Returns dloss/d(each item), zeros where autograd says that it is not used; None where its graph is gone."""
        starts = sorted({item.step for item in items})
        for start in starts:
            asked = [item for item in items if item.step >= start]
            self.busy = True
            try:
                found = torch.autograd.grad(loss, [item.edge for item in asked], retain_graph=True, allow_unused=True)
            except RuntimeError as error:
                if not any(word in str(error) for word in FREED):
                    raise
                self.note(f"A loss leads to a part of the graph that is gone: {str(error).split('. ')[0][:200]}.")
                continue
            finally:
                self.busy = False
            by_item = {id(item): item.zero if grad is None else grad for item, grad in zip(asked, found, strict=True)}
            return [by_item.get(id(item)) for item in items]
        return [None] * len(items)

    # what is written

    def _meta(self) -> dict[str, Any]:
        return {"format": "unrolled-trace", "version": 1, "tool": f"torch_tap {VERSION}",
                "framework": f"torch {torch.__version__}", "declared": self.declared, "rows": self.rows,
                "parameters": [name for name, _ in self.parameters], "batch": self.B, "windows": self._starts(),
                "notes": self.notes, "verified": None if self.verified is None else {"outputs": self.verified}}

    def _starts(self) -> list[int]:
        """Returns the first steps of the windows: after a backward pass, and in your own loop where a state is cut."""
        cut = {t for (_, t), leads in self.edge.items() if not leads} if not self.passes else set()
        return sorted(cut.union(self.windows))

    def _arrays(self) -> dict[str, np.ndarray]:
        P, T, at = len(self.rows), self.T, {row: i for i, row in enumerate(self.rows)}
        losses = self._shown()
        shapes = {"state": (P, T), "grad": (P, T), "credit": (P, len(losses), T)}
        out = {name: np.full(shape, np.nan) for name, shape in shapes.items()}
        out |= {"losses": np.array(losses, np.int64), "connected": np.zeros(shapes["credit"], np.uint8),
                "value": np.full((P, T), 2, np.uint8), "edge": np.full((P, T), 2, np.uint8),
                "memory": np.array(self.memory, np.int64),
                "loss": np.array([self.loss_at.get(t, np.nan) for t in range(T)])}
        for (row, t), norm in self.norms.items():
            out["state"][at[row], t], out["value"][at[row], t] = norm, self.origin[row, t]
        for (row, t), leads in self.edge.items():
            out["edge"][at[row], t] = leads
        for row, grads in self._grads().items():
            for t, norm in grads.items():
                out["grad"][at[row], t] = norm
        for r, s in enumerate(losses):
            out["credit"][:, r] = np.where(np.isnan(out["state"]), np.nan, 0.0)
            for (row, t), norm in self.credit[s].items():
                out["credit"][at[row], r, t] = norm
            for row, t in self.connected[s]:
                out["connected"][at[row], r, t] = 1
        self._note_scale(out["grad"], out["credit"])
        U, names = len(self.memory), [name for name, _ in self.parameters]
        for name, norms in (("norm_before", self.before), ("norm_after", self.after)):
            out[name] = np.array([[each.get(q, np.nan) for q in names] for each in norms[:U]]).reshape(U, len(names))
        for row in self.rows if self.keep else ():
            first = next(value for (name, _), value in self.kept.items() if name == row)
            missing = np.full_like(first, np.nan)
            found = [self.kept.get((row, t), missing) for t in range(T)]
            if all(each.shape == (self.B, first.shape[1]) for each in found):
                out[f"states_{at[row]}"] = np.stack(found)
        return out

    def _note_scale(self, grad: np.ndarray, credit: np.ndarray) -> None:
        """Says where more arrived than all the losses together send, be they added up: a loss that was scaled."""
        sent = np.nansum(credit, axis=1) * self.ask
        known = (sent > 0) & np.isfinite(grad)
        times = float((grad[known] / sent[known]).max()) if known.any() else 0.0
        if times > SCALED:
            self.note(f"What your backward passes sent is up to {times:.3g} times what the losses that you handed over "
                      "send: a scaled loss (GradScaler), a sum over the batch (then say reduction='sum'), or a loss "
                      "that was not handed over. The states' gradients, and the parameters' before clipping, are those "
                      "of your backward passes.")

    def _shown(self) -> list[int]:
        """Returns the losses that were asked about; evenly fewer of them where a trace cannot hold all."""
        losses, most = sorted(self.credit), min(MOST_LOSSES, MOST_LINES // max(1, len(self.rows)))
        if len(losses) > most:
            self.note(f"{len(losses)} losses were asked about; {most} of them, evenly spaced, are in the trace.")
            losses = [losses[i] for i in np.linspace(0, len(losses) - 1, most).astype(int)]
        return losses

    def _grads(self) -> dict[str, dict[int, float]]:
        """Returns per row and step the norm of what your backward passes sent there."""
        scale, out = self.B if self.reduction == "mean" else 1, defaultdict[str, dict[int, float]](dict)
        points = defaultdict[str, list[tuple[int, Tensor]]](list)
        for item in self.items:
            if isinstance(item, _Point) and item.grad is not None:
                points[item.row].append((item.step, item.grad))
        found = [(row, _summed(grads)) for row, grads in points.items()]
        for done in self.passes:
            arrived = {item.kind: item.grad for item in self.items
                       if isinstance(item, _Port) and item.run is done and item.grad is not None}
            for _, rows in done.push([(0, arrived)] if arrived else []):
                for row, grads in rows.items():
                    behind = [torch.zeros_like(grads[0])] * (done.T - len(grads))
                    found.append((row, {done.start + i: grad for i, grad in enumerate([*grads, *behind])}))
        for row, grads in found:
            norms = _norms(torch.stack(list(grads.values())))
            out[row] |= {t: norm * scale for t, norm in zip(grads, norms, strict=True)}
        return out


class _Graph:
    """Which watched tensors does a tensor lead back to? Asked of the graph's nodes, which outlive their buffers."""

    def __init__(self) -> None:
        self.watched: dict[tuple[Any, int], list[int]] = {}  # a bit for each part: the layers of a stacked state
        self.beyond: dict[tuple[Any, int], int] = {}

    def watch(self, edges: Iterable[tuple[GradientEdge, list[int]]]) -> int:
        """Watches the states of one step, or the outputs of one pass, which may rest on one another.

        Returns the bits that these tensors had already: at an earlier step, or under another name."""
        edges, same = list(edges), 0
        for edge, bits in edges:
            known = self.watched.setdefault((edge.node, edge.output_nr), [])
            same |= _mask(known)
            known += bits
        for edge, _ in edges:
            self._past(edge.node, edge.output_nr)
        return same

    def reach(self, tensor: Tensor) -> int:
        """Returns the bits of what this tensor leads back to, itself included."""
        return self.walk(_roots([tensor]))

    def past(self, edge: GradientEdge) -> int:
        return self._past(edge.node, edge.output_nr)

    def _past(self, node: Any, number: int) -> int:
        """Returns the bits of what a watched tensor leads back to, itself left out."""
        if (node, number) not in self.beyond:
            self.beyond[node, number] = self.walk(_children(node, number))
        return self.beyond[node, number]

    def walk(self, edges: Iterable[tuple[Any, int, int | None]], past: bool = True,
             leaves: list[Tensor] | None = None) -> int:
        """Returns the bits that are met from these edges on; without `past`, those that are met first. Adds the leaves
        that are met to `leaves`."""
        found, stack, seen = 0, list(edges), set()
        while stack:
            node, number, part = stack.pop()
            bits = self.watched.get((node, number))
            if bits is not None:
                met = bits if part is None else [bits[part % len(bits)]]
                found |= _mask(met) | (self._past(node, number) if past else 0)
            elif (node, number) not in seen:
                seen.add((node, number))
                if leaves is not None and hasattr(node, "variable"):
                    leaves.append(node.variable)
                stack += _children(node, number)
        return found


def _children(node: Any, number: int) -> list[tuple[Any, int, int | None]]:
    """Returns what a node leads to, and of what part: h[1] and h.unbind(0)[1] lead to one layer of h only."""
    part, name = None, node.name()
    if name == "SelectBackward0" and node._saved_dim == 0:
        part = node._saved_index - (1 << 64 if node._saved_index >> 63 else 0)
    elif name == "UnbindBackward0" and node._saved_dim == 0:
        part = number
    return [(child, nr, part) for child, nr in node.next_functions if child is not None]


def _roots(tensors: Iterable[Tensor]) -> list[tuple[Any, int, int | None]]:
    edges = [get_gradient_edge(tensor) for tensor in tensors if tensor.requires_grad]
    return [(edge.node, edge.output_nr, None) for edge in edges]


def _mask(bits: Iterable[int]) -> int:
    return sum(1 << bit for bit in bits)


class _Point:
    """A state of your own loop."""

    def __init__(self, row: str, step: int, tensor: Tensor) -> None:
        self.row, self.step, self.length, self.edge = row, step, 1, get_gradient_edge(tensor)
        self.zero = torch.zeros((), dtype=tensor.dtype, device=tensor.device).expand(tensor.shape)
        self.grad: Tensor | None = None


class _Port:
    """An output of a recurrent module's forward pass: `out` (T, B, H), or the last `h` or `c` (layers, B, H)."""

    def __init__(self, run: _Pass, kind: str, tensor: Tensor, first: int) -> None:
        self.run, self.kind, self.step, self.length = run, kind, run.start, run.T
        self.first, self.edge = first, get_gradient_edge(tensor)
        self.zero = torch.zeros((), dtype=tensor.dtype, device=tensor.device).expand(tensor.shape)
        self.grad: Tensor | None = None


class _Pass:
    """A forward pass of nn.LSTM, nn.GRU or nn.RNN, unrolled step by step on copies of its weights.

    What arrives at the module's outputs is pushed through it, which gives the gradient of every state; the module's
    own graph says what arrives, also from later windows."""

    def __init__(self, name: str, module: nn.RNNBase, xs: Tensor, hx: Any, drawn: Tensor) -> None:
        self.name, self.batch_first, self.unbatched = name, module.batch_first, xs.dim() == 2
        self.L, self.H, self.parts = module.num_layers, module.hidden_size, ("h", "c")[:1 + (module.mode == "LSTM")]
        xs = self.by_time(xs.detach())
        self.T, self.B, self.start = len(xs), xs.shape[1], 0
        given = None if hx is None else hx if isinstance(hx, tuple) else (hx,)
        self.given = None if given is None else {
            part: each.detach().reshape(self.L, self.B, self.H) for part, each in zip(self.parts, given, strict=True)}
        self.size = self.T * self.B * self.H * self.L * len(self.parts)
        self.states: dict[str, list[Tensor]] = {}
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            torch.random.set_rng_state(drawn)
            self._unroll(module, xs)

    def by_time(self, tensor: Tensor) -> Tensor:
        """Returns (T, B, features) of the module's input or output."""
        if self.unbatched:
            return tensor[:, None]
        return tensor.transpose(0, 1) if self.batch_first else tensor

    def row(self, layer: int, part: str) -> str:
        return f"{self.name}.l{layer}.{part}"

    def _unroll(self, module: nn.RNNBase, xs: Tensor) -> None:
        last: dict[str, list[Tensor]] = {part: [] for part in self.parts}
        for layer in range(self.L):
            found = (getattr(module, f"{kind}_l{layer}", None) for kind in WEIGHTS)
            W_ih, W_hh, b_ih, b_hh = (None if w is None else w.detach().clone() for w in found)
            state = {part: (xs.new_zeros(self.B, self.H) if self.given is None else self.given[part][layer].clone()
                            ).requires_grad_() for part in self.parts}
            rows = {part: self.states.setdefault(self.row(layer, part), []) for part in self.parts}
            for x in nn.functional.linear(xs, W_ih, b_ih):
                state = _step(module.mode, x, nn.functional.linear(state["h"], W_hh, b_hh), state)
                for part in self.parts:
                    rows[part].append(state[part])
            xs = torch.stack(rows["h"])
            if module.dropout and layer + 1 < self.L:
                xs = nn.functional.dropout(xs, module.dropout, module.training)
            for part in self.parts:
                last[part].append(state[part])
        self.outputs = {"out": xs} | {part: torch.stack(each) for part, each in last.items()}

    def push(self, arrived: list[tuple[int, dict[str, Tensor]]]) -> list[tuple[int, dict[str, list[Tensor]]]]:
        """Returns for each loss the gradient of every state by row, from what arrived at the outputs."""
        if not arrived:
            return []
        if any(set(each) != {"out"} for _, each in arrived):
            last, outputs, asked = self.T, list(self.outputs.values()), []
            for kind, output in self.outputs.items():
                none = torch.zeros_like(output)
                shaped = [self._shaped(kind, each[kind]) if kind in each else none for _, each in arrived]
                asked.append(torch.stack(shaped))
        else:  # nothing goes back from steps behind the last one that a loss reads
            grads = torch.stack([self.by_time(each["out"]) for _, each in arrived])
            last = 1 + max(torch.nonzero(grads.flatten(2).any(2).any(0)).flatten().tolist(), default=0)
            outputs, asked = self.states[self.row(self.L - 1, "h")][:last], list(grads[:, :last].unbind(1))
        flat = [state for states in self.states.values() for state in states[:last]]
        found = torch.autograd.grad(outputs, flat, asked, retain_graph=True, is_grads_batched=True)
        return [(s, {row: [found[j * last + t][i] for t in range(last)] for j, row in enumerate(self.states)})
                for i, (s, _) in enumerate(arrived)]

    def _shaped(self, kind: str, grad: Tensor) -> Tensor:
        return self.by_time(grad) if kind == "out" else grad.reshape(self.L, self.B, self.H)

    def reached(self, ports: list[tuple[_Port, Tensor | None]], bits: int, s: int) -> dict[str, int]:
        """Returns per row the last of its steps, from 0 here, that the loss at s leads back to; -1 for none."""
        entries: list[tuple[int, str, int]] = []
        here = min(s - self.start, self.T - 1)
        for port, grad in ports:
            parts = [layer for layer in range(self.L) if bits >> (port.first + layer) & 1] if port.kind != "out" else []
            if port.kind == "out":
                shown = [] if grad is None else torch.nonzero(self.by_time(grad).flatten(1).any(1)).flatten().tolist()
                entries.append((self.L - 1, "h", min(shown[-1], here) if shown else here))
            elif grad is not None and bool(grad.any()):  # numbers tell one layer from another where slices do not
                parts = [layer for layer in parts if bool(self._shaped(port.kind, grad)[layer].any())]
            entries += [(layer, port.kind, self.T - 1) for layer in parts]
        last = dict.fromkeys(self.states, -1)
        for layer, part, t in entries:
            for below in range(layer + 1):
                for other in self.parts:
                    before = below == layer and part == "c" and other == "h"  # c_t rests on h_{t-1}, h_t on c_t
                    row = self.row(below, other)
                    last[row] = max(last[row], t - before)
        return last


def _step(mode: str, x: Tensor, recurrent: Tensor, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """One step from W_ih x + b_ih and W_hh h + b_hh, as torch.nn documents it."""
    if mode == "LSTM":
        i, f, g, o = (x + recurrent).chunk(4, 1)
        c = torch.sigmoid(f) * state["c"] + torch.sigmoid(i) * torch.tanh(g)
        return {"h": torch.sigmoid(o) * torch.tanh(c), "c": c}
    if mode == "GRU":
        (xr, xz, xn), (hr, hz, hn) = x.chunk(3, 1), recurrent.chunk(3, 1)
        z = torch.sigmoid(xz + hz)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        return {"h": (1 - z) * n + z * state["h"]}
    return {"h": (torch.tanh if mode == "RNN_TANH" else torch.relu)(x + recurrent)}


def _as_it_is(hook: Callable[..., None]) -> Callable[..., None]:
    """Returns a hook that torch.compile leaves alone, where it compiles what the hook is called from."""
    out: Callable[..., None] = torch.compiler.disable(hook)
    return out


def _modules(model: nn.Module | None, kinds: Any) -> list[tuple[str, Any]]:
    return [] if model is None else [each for each in model.named_modules() if isinstance(each[1], kinds)]


def _require_unrollable(name: str, module: nn.RNNBase) -> None:
    for attribute, why in (("bidirectional", "its backward direction has no reach into the past to be shown"),
                           ("proj_size", "projected states are not unrolled")):
        if getattr(module, attribute):
            raise ValueError(f"torch_tap: {name} has {attribute}={getattr(module, attribute)}: {why}. Give the tap a "
                             "part of the model without it, or call tap.step in a loop of your own.")


def _arguments(input: Any, hx: Any = None) -> tuple[Any, Any]:
    """The arguments of the recurrent modules' forward, by their names."""
    return input, hx


def _parameters(model: nn.Module | None, optimizer: torch.optim.Optimizer | None) -> list[tuple[str, Tensor]]:
    if model is not None:
        return list(model.named_parameters())
    groups = [] if optimizer is None else optimizer.param_groups
    return [(f"p{i}", p) for i, p in enumerate(p for group in groups for p in group["params"])]


def _origin(last: Tensor | None, candidates: Sequence[Tensor]) -> int:
    """Returns 1 where a candidate is the last state, 0 where one is zero, else 2: nobody knows."""
    flat = [each.reshape(-1, each.shape[-1]) for each in candidates]
    if last is not None and any(torch.equal(each, last) for each in flat):
        return 1
    return 0 if any(not bool(each.any()) for each in flat) else 2


def _summed(grads: Iterable[tuple[int, Tensor]]) -> dict[int, Tensor]:
    """Returns per step the sum of the gradients of a state that was there several times."""
    out: dict[int, Tensor] = {}
    for step, grad in grads:
        out[step] = out[step] + grad if step in out else grad
    widest = max(out.values(), key=Tensor.numel)
    return {step: grad if grad.shape == widest.shape else torch.full_like(widest, torch.nan)
            for step, grad in out.items()}


def _norms(tensor: Tensor) -> list[float]:
    """Returns the mean over the batch of the samples' norms, for each of (steps, B, H)."""
    return torch.linalg.vector_norm(tensor.double(), dim=-1).reshape(len(tensor), -1).mean(1).tolist()


def _size(grad: Tensor | None) -> float:
    return float("nan") if grad is None else float(torch.linalg.vector_norm(grad.detach().double()))


def _resident() -> int:
    """Returns the process's resident bytes; -1 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else -1


def _declared(text: str | None) -> dict[str, Any] | None:
    """Returns "window:20" or "k1k2:10,20,carry" as the trace has it."""
    if text is None:
        return None
    style, _, rest = text.partition(":" if ":" in text else ",")
    words = [word.strip() for word in rest.split(",")] if rest else []
    value = {"value": words.pop()} if words and words[-1] in ("carry", "reset") else {}
    names = {"full": (), "window": ("k",), "sliding": ("k",), "k1k2": ("k1", "k2")}.get(style)
    if names is None or len(words) != len(names) or not all(word.isdigit() for word in words):
        raise ValueError(f"torch_tap: declared={text!r}; write full, window:20, sliding:20 or k1k2:10,20, each with "
                         ",carry or ,reset behind it where you like.")
    return {"style": style} | dict(zip(names, map(int, words), strict=True)) | value


def _write(path: Path, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Writes the trace beside its place and moves it there, so that nobody reads half of one."""
    beside = path.with_name(path.name + ".part")
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with beside.open("wb") as file:
        np.savez_compressed(file, meta=text, **arrays)
    beside.replace(path)
