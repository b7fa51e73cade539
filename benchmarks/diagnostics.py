"""The deeper diagnostics' speed beside the credit matrix': `python -m benchmarks.diagnostics`."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.timing import machine, medians
from engine.arrays import quiet_single_thread
from engine.bias import bias_curve, ledger_of
from engine.config import Config, validate
from engine.gates import gates
from engine.lags import by_lag
from engine.paths import paths
from engine.reference import Reference, credit_of, reference
from engine.spectrum import spectrum


def ways(kept: Reference) -> dict[str, Callable[[], object]]:
    """Returns what is timed. Full BPTT and the cells' derivatives are there already, as in an analysis."""
    x, tape = kept.x, kept.tape
    return {
        "credit matrix": lambda: credit_of(x, tape, kept.plan),
        "sweep over the lags": lambda: list(by_lag(x.network, x.params, tape, x.data.counts)),
        "errors of sliding(k) for all k": lambda: ledger_of(kept),
        "bias curve, with window(k) for 24 k": lambda: bias_curve(kept),
        "paths": lambda: paths(kept),
        "gates": lambda: gates(kept),
        "spectrum without products": lambda: spectrum(kept, products=False),
        "spectrum": lambda: spectrum(kept),
    }


def beside_credit(T: int = 200, H: int = 64, B: int = 1, rounds: int = 15) -> None:
    """Prints each diagnostic's time, as a multiple of the credit matrix' too."""
    for cell in ("lstm", "gru", "rnn"):
        kept = reference(validate(Config(cell=cell, steps=T, hidden=H, batch=B)))
        _ = kept.gradients
        taken = medians(ways(kept), rounds)
        credit = taken["credit matrix"]
        print(f"{cell}, T={T}, H={H}, B={B}, float64, one thread: credit matrix {credit * 1e3:.1f} ms")
        for name, seconds in taken.items():
            if name != "credit matrix":
                print(f"  {name}: {seconds * 1e3:.1f} ms, {seconds / credit:.1f} times the credit matrix")
        both = taken["paths"] + taken["spectrum without products"]
        print(f"  paths and spectrum without products: {both * 1e3:.0f} ms (aim: 250 ms)")


def main() -> None:
    print(machine())
    with quiet_single_thread():
        beside_credit()


if __name__ == "__main__":
    main()
