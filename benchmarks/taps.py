"""What the PyTorch tap costs: `python -m benchmarks.taps`, on updates that it records and on those that it does not.

Each pair is an update without the tap and one with it, in changing order, on models that start alike; the ratio of each
pair is taken, and the median of the ratios printed. Processor time of one thread: other programs' load falls out."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from benchmarks.timing import machine
from taps.torch_tap import Tap

SYMBOLS = 65
Update = Callable[[], None]


def characters(T: int, B: int, H: int, tap: Callable[[nn.Module, torch.optim.Optimizer], Tap] | None) -> Update:
    """Returns an update of a character model with nn.LSTM: a window of T steps, the state carried and detached."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"rnn": nn.LSTM(SYMBOLS, H), "readout": nn.Linear(H, SYMBOLS)})
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    found = tap(model, optimizer) if tap else None
    x, y = functional.one_hot(torch.randint(SYMBOLS, (T, B)), SYMBOLS).float(), torch.randint(SYMBOLS, (T, B))
    state = [(torch.zeros(1, B, H), torch.zeros(1, B, H))]

    def update() -> None:
        hs, (h, c) = model["rnn"](x, state[0])
        logits = model["readout"](hs).transpose(1, 2)
        if found is not None:
            found.loss(lambda: functional.cross_entropy(logits, y, reduction="none"))
        optimizer.zero_grad()
        functional.cross_entropy(logits, y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state[0] = h.detach(), c.detach()
    return update


def loop(T: int, B: int, H: int, tap: Callable[[nn.Module, torch.optim.Optimizer], Tap] | None) -> Update:
    """Returns an update of a loop over nn.LSTMCell, which calls the tap at every step."""
    torch.manual_seed(0)
    model = nn.ModuleDict({"cell": nn.LSTMCell(SYMBOLS, H), "readout": nn.Linear(H, SYMBOLS)})
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    found = tap(model, optimizer) if tap else None
    xs, ys = functional.one_hot(torch.randint(SYMBOLS, (T, B)), SYMBOLS).float(), torch.randint(SYMBOLS, (T, B))
    state = [(torch.zeros(B, H), torch.zeros(B, H))]

    def update() -> None:
        (h, c), losses = state[0], []
        for x, y in zip(xs, ys, strict=True):
            h, c = model["cell"](x, (h, c))
            loss = functional.cross_entropy(model["readout"](h), y)
            losses.append(loss)
            if found is not None:
                found.step(h=h, c=c, loss=loss)
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        state[0] = h.detach(), c.detach()
    return update


def ratios(plain: Update, tapped: Update, pairs: int) -> list[float]:
    """Returns the ratio tapped / plain of each pair, its members in changing order."""
    out = []
    for pair in range(-3, pairs):
        first, second = (plain, tapped) if pair % 2 else (tapped, plain)
        taken = []
        for update in (first, second):
            start = time.process_time()
            update()
            taken.append(time.process_time() - start)
        if pair >= 0:
            out.append(taken[1] / taken[0] if pair % 2 else taken[0] / taken[1])
    return out


def report(what: str, found: list[float]) -> None:
    low, middle, high = statistics.quantiles(found, n=4)
    print(f"  {what}: {middle:.3f} times the time without (quartiles {low:.3f} to {high:.3f}, {len(found)} pairs)")


def main() -> None:
    torch.set_num_threads(1)
    print(f"{machine()}, PyTorch {torch.__version__}, one thread, float32")
    with tempfile.TemporaryDirectory() as folder:
        for name, make in (("nn.LSTM character model", characters), ("loop over nn.LSTMCell", loop)):
            for sizes, pairs in (((35, 20, 128), 200), ((100, 20, 256), 40)):
                T, B, H = sizes
                print(f"{name}, window of {T} steps, B={B}, H={H}")
                for what, options, n in (("not recorded, before it records", {"updates": 1, "skip": 1 << 30}, pairs),
                                         ("not recorded, after it has recorded", {"updates": 1}, pairs),
                                         ("recorded, every loss asked about", {"updates": 9}, 5),
                                         ("recorded, every 10th loss (ask=10)", {"updates": 9, "ask": 10}, 5)):
                    report(what, beside(make, sizes, Path(folder) / "trace.npz", options, n))


def beside(make: Callable[..., Update], sizes: tuple[int, int, int], path: Path, options: dict[str, int],
           pairs: int) -> list[float]:
    """Returns the ratios of updates with a tap of these options to updates without; the file is written afterwards."""
    taps: list[Tap] = []

    def tap(model: nn.Module, optimizer: torch.optim.Optimizer) -> Tap:
        taps.append(Tap(path, model, optimizer, **options))
        return taps[0]
    found = ratios(make(*sizes, None), make(*sizes, tap), pairs)
    taps[0].close()
    return found


if __name__ == "__main__":
    main()
