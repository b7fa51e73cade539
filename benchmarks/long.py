"""A long sequence's time and memory as it grows: `python -m benchmarks.long`."""

from __future__ import annotations

import sys
import time
import tracemalloc
from dataclasses import replace

from benchmarks.timing import machine
from engine.config import Config, validate
from engine.long import close_up, long_reference
from engine.long.certify import certify_reference

STYLES = {"window(20)": {"style": "window", "k": 20}, "sliding(20)": {"style": "sliding", "k": 20},
          "full": {"style": "full"}}


def grown(config: Config, lengths: list[int], certify: bool) -> None:
    """Prints seconds of the processor, microseconds a step and their ratio to those of the shortest sequence."""
    shortest = 0.0
    for T in lengths:
        here = replace(config, steps=T)
        begun = time.process_time()
        kept = long_reference(here)
        taken = time.process_time() - begun
        begun = time.process_time()
        close_up(kept, range(T // 2, min(T, T // 2 + 300)))
        near = time.process_time() - begun
        checked = ""
        if certify:
            begun = time.process_time()
            certify_reference(kept)
            checked = f", certificates {time.process_time() - begun:.1f} s"
        step = taken / T
        shortest = shortest or step
        print(f"  T={T:,}: {taken:.2f} s, {step * 1e6:.0f} us a step ({step / shortest:.2f}), "
              f"close-up {near * 1e3:.0f} ms{checked}", flush=True)


def peak(config: Config, T: int) -> None:
    """Prints the most memory that NumPy and Python held at once, under tracemalloc, which takes its time."""
    tracemalloc.start()
    long_reference(replace(config, steps=T))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    print(f"  T={T:,}: peak {most / 2**20:.1f} MiB", flush=True)


def main() -> None:
    """Prints the table; `short` leaves out the longest sequence."""
    print(machine())
    lengths = [1000, 10_000] if "short" in sys.argv else [1000, 10_000, 100_000]
    for name, style in STYLES.items():
        config = validate(replace(Config(task="copy", steps=1000, hidden=32, batch=1), **style))  # type: ignore[arg-type]
        print(f"lstm, H=32, B=1, float64, one thread: {name}")
        grown(config, lengths, certify="certify" in sys.argv)
        if "peak" in sys.argv:
            for T in lengths:
                peak(config, T)


if __name__ == "__main__":
    main()
