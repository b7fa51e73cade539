"""The engine's speed beside its peers', as ratios within one run: `python -m benchmarks.engine`."""

from __future__ import annotations

import time

import numpy as np
import torch

from benchmarks.timing import machine, medians
from benchmarks.work import Work, peer, work
from engine.arrays import quiet_single_thread
from engine.credit import credit


def credit_rate(T: int = 512, H: int = 128, size: int = 1024, rounds: int = 9) -> None:
    """Prints the rate of the credit matrix as a share of that of a square matrix product."""
    same = work(T, H)
    tape, none, rows = same.forward(), np.zeros(T, bool), np.arange(T)
    left, right = np.random.default_rng(0).standard_normal((2, size, size))
    out = np.empty_like(left)
    taken = medians({"credit": lambda: credit(same.network, same.params, tape, none, rows),
                     "product": lambda: np.matmul(left, right, out=out)}, rounds, time.process_time)
    product = 2 * size**3 / taken["product"] / 1e9
    print(f"credit matrix, LSTM, T={T}, H={H}, float64, one thread: {taken['credit'] * 1e3:.1f} ms")
    print(f"  {size}-cube matrix product: {taken['product'] * 1e3:.1f} ms, {product:.1f} GFLOP/s")
    for what, each in (("nominal operations of the row sweep, T^2/2 * 8 H^2", 8),
                       ("operations left after each step's gates are folded, T^2/2 * 4 H^2", 4)):
        rate = T * T / 2 * each * H * H / taken["credit"] / 1e9
        print(f"  {what}: {rate:.1f} GFLOP/s = {rate / product:.0%} of the product's rate")


def beside_pytorch(T: int = 200, H: int = 64, B: int = 1, rounds: int = 31) -> None:
    """Prints how many times faster than PyTorch the engine goes forward and back, on the same numbers."""
    same = work(T, H, B)
    other = peer(same)
    _agree(same, other.fused(), other.loop(), other.written())
    taken = medians({"engine": same.gradients, "nn.LSTM": other.fused, "nn.LSTMCell loop": other.loop,
                     "loop of tensor operations": other.written}, rounds)
    print(f"forward and backward, LSTM, T={T}, H={H}, B={B}, float64, one thread: "
          f"{taken['engine'] * 1e3:.2f} ms, with dL/dh and dL/dc of every step")
    for name, what in (("nn.LSTM", "weight gradients only"),
                       ("nn.LSTMCell loop", "retain_grad() at every step"),
                       ("loop of tensor operations", "gates written out, retain_grad() at every step")):
        print(f"  PyTorch {torch.__version__} {name} ({what}): {taken[name] * 1e3:.2f} ms, "
              f"{taken[name] / taken['engine']:.1f} times the engine's")


def _agree(same: Work, *others: torch.Tensor) -> None:
    """A comparison of speed is worth something only between equal answers."""
    ours = same.gradients().blocks["l0.W_hh"]
    for theirs in others:
        error = np.linalg.norm(ours - theirs.numpy()) / np.linalg.norm(ours)
        if not error < 1e-12:
            raise SystemExit(f"the gradients differ by {error:.1e}: nothing to compare")


def main() -> None:
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    print(machine())
    with quiet_single_thread():
        credit_rate()
        beside_pytorch()


if __name__ == "__main__":
    main()
