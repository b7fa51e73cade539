"""The credit matrix beside compiled JAX and PyTorch's autograd, in one run, all of it or some sizes:
`python -m scripts.beside jax benchmarks.credit [T,H ...]`, with PyTorch installed (`make bench` sees to that).

Everything is on one core, in float64, on the same weights, from these to the finished matrix; JAX's compilation is
not counted. The clock is the processor's, of all threads. Times are compared only where the matrices agree.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import jax
import numpy as np
import torch

from benchmarks import credit_jax, credit_torch
from benchmarks.timing import machine, medians
from benchmarks.work import Work, work
from engine.arrays import quiet_single_thread
from engine.credit import credit

SIZES = [(T, H) for T in (50, 100, 200, 512) for H in (32, 64, 128)]
ROUNDS = {50: 11, 100: 5, 200: 3, 512: 1}
AGREEMENT = 1e-10  # of each matrix, relative to its largest entry
Way = Callable[[], np.ndarray]


def engine_ways(same: Work) -> dict[str, Way]:
    """Returns the engine's matrix from the weights, and from a tape that is there already."""
    T, tape = len(same.data.xs), same.forward()
    tape.layers[0].factors  # noqa: B018 computed once for all sweeps of an analysis
    none, rows = np.zeros(T, bool), np.arange(T)

    def along(tape: object) -> np.ndarray:
        return np.stack(credit(same.network, same.params, tape, none, rows))

    return {"engine": lambda: along(same.forward()), "engine, tape given": lambda: along(tape)}


def row(T: int, H: int) -> str:
    """Returns a line of the table: the engine's milliseconds, and the others' times as multiples of them."""
    same = work(T, H)
    ways = {**engine_ways(same), **credit_jax.ways(same), **credit_torch.ways(same)}
    _agree({name: way() for name, way in ways.items()})
    taken = medians(ways, ROUNDS.get(T, 3), time.process_time, warm=True)
    ours, given, *others = taken.values()
    return f"| {T} | {H} | {ours * 1e3:.1f} ms | {given * 1e3:.1f} ms | " + " | ".join(
        f"{seconds * 1e3:.4g} ms, {seconds / ours:.2f}" for seconds in others) + " |"


def _agree(matrices: dict[str, np.ndarray]) -> None:
    """A comparison of speed is worth something only between equal answers."""
    ours = matrices["engine"]
    for name, theirs in matrices.items():
        for part, mine in zip(theirs, ours, strict=True):
            error = np.abs(part - mine).max() / mine.max()
            if not error < AGREEMENT:
                raise SystemExit(f"{name}: the matrices differ by {error:.1e}: nothing to compare")


def main(sizes: list[tuple[int, int]]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # before JAX starts its threads: then it has one
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    print(f"{machine()}, JAX {jax.__version__}, PyTorch {torch.__version__}, NumPy {np.__version__}")
    print("| T | H | engine | engine, tape given | JAX: jacrev | JAX: vmap of vjp | JAX: by hand | "
          "PyTorch: a backward per loss | PyTorch: is_grads_batched |\n" + "|---" * 9 + "|")
    with quiet_single_thread():
        for T, H in sizes:
            print(row(T, H), flush=True)


if __name__ == "__main__":
    main([(int(T), int(H)) for T, H in (size.split(",") for size in sys.argv[1:])] or SIZES)
