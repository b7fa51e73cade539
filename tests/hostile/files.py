"""Mutants of every kind of file and text that is parsed: `python -m tests.hostile.files -n 100000`.

Only InputError, and of the server's JSON and addresses RefusedError, may leave a parser. Each mutant has 200 ms of
processor time; all together may take 64 MiB over what the good files take."""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import resource
import sys
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import engine
from engine.errors import InputError
from engine.recorded import outcome_of, read_trace, source_of
from server import strict
from server.problems import RefusedError
from server.queries import read_body, read_query
from server.settings import Settings
from server.training.asking import parse_lab
from tests.engine import false_files, false_traces
from tests.hostile.mutating import mutant

MOST_SECONDS, MOST_BYTES = 0.2, 64 * 2**20
DEPTH = Settings.model_fields["json_depth"].default
LSTM = {"weight_ih_l0": np.ones((8, 1)), "weight_hh_l0": np.full((8, 2), 0.5), "bias_ih_l0": np.zeros(8),
        "bias_hh_l0": np.zeros(8)}  # fmt: skip
BODY = {"config": {"cell": "rnn", "hidden": 2, "steps": 4, "batch": 1, "task": "series", "series": [1.5, -2, 3e-3, 4]},
        "include": ["credit"], "weights": {"l0.W_hh": [[1, 2.5], [-3, 4]]}, "certificate": False}  # fmt: skip
LAB = {"hidden": 4, "tokens": 2000, "seeds": 1, "strategies": [{"style": "window", "k": 5}, {"k": 5, "value": "reset"}]}
QUERY = b"cell=gru&hidden=16&steps=40&style=k1k2&k1=5&k2=10&include=credit,gates&text=a%20b%C3%A9&convention=pytorch"
CSV = b"task=series&series=" + b"%2C".join(b"%.3f" % (n / 7) for n in range(-20, 20))


@dataclass(frozen=True)
class Parser:
    """What is read, by what, and what a mutant is made of: a whole file, or an archive's member before it is packed."""

    read: Callable[[bytes], object]
    good: Sequence[bytes]
    inside: bool = False


def _trace(data: bytes) -> object:
    return outcome_of(read_trace(source_of(data)))


def _npz(data: bytes) -> object:
    return engine.read_arrays(data, "weights.npz")


PARSERS: dict[str, Parser] = {
    "npz": Parser(_npz, [false_files.npz(**LSTM), false_files.npz(True, **LSTM)]),
    "npz inside": Parser(_npz, [false_files.npz(**LSTM)], inside=True),
    "safetensors": Parser(lambda data: engine.read_arrays(data, "weights.safetensors"),
                          [engine.write_arrays(LSTM, "weights.safetensors")]),
    "trace": Parser(_trace, [false_traces.trace(),
                             false_files.archive(false_traces.members(), zipfile.ZIP_DEFLATED)]),
    "trace inside": Parser(_trace, [false_traces.trace()], inside=True),
    "csv": Parser(lambda data: read_query("analysis", data), [CSV]),
    "address": Parser(lambda data: read_query("analysis", data), [QUERY]),
    "json": Parser(lambda data: read_body("analysis", data, DEPTH), [json.dumps(BODY).encode()]),
    "lab": Parser(lambda data: parse_lab(strict.loads(data, DEPTH)), [json.dumps(LAB).encode()]),
}  # fmt: skip


@dataclass
class Outcome:
    """What came of the mutants of one parser."""

    name: str
    read: int = 0
    refused: int = 0
    slowest: float = 0.0  # seconds of processor time
    grown: int = 0  # bytes over what the good files took
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.faults and self.slowest <= MOST_SECONDS and self.grown <= MOST_BYTES

    def __str__(self) -> str:
        return (f"{self.name:<14}{self.read + self.refused:>9} mutants {self.read:>8} read {self.refused:>8} refused "
                f"{1000 * self.slowest:>7.1f} ms {self.grown / 2**20:>6.1f} MiB {len(self.faults):>3} faults")


def attack(name: str, count: int, seed: int) -> Outcome:
    """Returns what came of so many mutants; the same seed makes the same ones."""
    parser, rng, found = PARSERS[name], random.Random(f"{name} {seed}"), Outcome(name)
    for good in parser.good * 3:
        parser.read(good)
    before = _peak()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(count):
            _one(parser, _made(parser, rng), found)
    found.grown = _peak() - before
    return found


def _made(parser: Parser, rng: random.Random) -> bytes:
    good = rng.choice(list(parser.good))
    return repacked(good, rng) if parser.inside else mutant(good, rng)


def repacked(good: bytes, rng: random.Random) -> bytes:
    """Returns an archive one of whose members is a mutant, with checksums that hold."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice(list(members))
    members[name] = mutant(members[name], rng)
    return false_files.archive(members, rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))


def _one(parser: Parser, data: bytes, found: Outcome) -> None:
    begun = time.process_time()
    try:
        parser.read(data)
        found.read += 1
    except (InputError, RefusedError):
        found.refused += 1
    except Exception as error:  # whatever it is, it is what is looked for
        found.faults.append(f"{type(error).__name__}: {error} <- {zlib.compress(data).hex()}")
    found.slowest = max(found.slowest, time.process_time() - begun)


def _peak() -> int:
    """Returns the most bytes that this process has held; what the system says of it counts what started it, too."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0])
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def main() -> int:
    """Attacks every parser, or those named. Returns 1 if one has not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=100_000, help="mutants, of all kinds together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(PARSERS), nargs="+", default=list(PARSERS))
    given = parser.parse_args()
    each = -(-given.n // len(given.only))
    with ProcessPoolExecutor(max_tasks_per_child=1) as pool:  # a process for each: its peak is its own
        outcomes = list(pool.map(attack, given.only, [each] * len(given.only), [given.seed] * len(given.only)))
    for outcome in outcomes:
        print(outcome)
        print("".join(f"  {fault[:2000]}\n" for fault in outcome.faults[:5]), end="")
    return 0 if all(outcome.sound for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
