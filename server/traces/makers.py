"""How a trace is made, in a few lines per framework: what the page offers to copy. (leaf)"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Maker:
    """One framework's tap: its file under /taps/, and the lines that go into a program."""

    name: str
    title: str
    file: str
    lines: str
    after: str


MAKERS: tuple[Maker, ...] = (
    Maker("torch", "PyTorch", "torch_tap.py", "\n".join((
        "from torch_tap import Tap",
        'tap = Tap("trace.npz", model, optimizer, declared="window:20")  # what you believe; may be left out',
        "",
        "tap.loss(losses)   # in your loop, before backward(): the losses per step, (T, B), (B, T) or (T,)")),
        "nn.LSTM, nn.GRU and nn.RNN inside the model are found by themselves; a loop over cells calls "
        "tap.step(h=h, c=c, loss=loss) after each step."),
    Maker("keras", "Keras", "keras_tap.py", "\n".join((
        "from keras_tap import Tap",
        'tap = Tap("trace.npz", model, x, y)',
        "model.fit(x, y, batch_size=B, shuffle=False, callbacks=[tap])")),
        "Stateful or not: what crosses from one batch to the next is asked of the gradient tape."),
    Maker("jax", "JAX", "jax_tap.py", "\n".join((
        "from jax_tap import Tap",
        'tap = Tap("trace.npz")',
        "",
        "... tap.scan(step, carry, xs) ...             # in place of jax.lax.scan",
        "tap.record(losses, params, carry, xs, ys)     # once an update; losses(...) returns (T,) or (T, B)")),
        "What is connected is read off the linearized jaxpr, from which JAX leaves out what stop_gradient has cut."),
)
