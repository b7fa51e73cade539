"""Runs a program of server/code as its reader would: alone in an empty folder, with the npz beside it.

What it prints is held against the engine. `python -m tests.peers.code_runs pytorch jax ...` runs the whole
spread and writes down with which versions it agreed (server/code/checked.json).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import Analysis, analyze, parse
from server.code import FRAMEWORKS, Checked, Package, program, read_checked
from server.code.checked import FILE
from server.encoding import encode_npz
from tests.peers import alone

SMALL: dict[str, object] = {"hidden": 6, "batch": 3, "steps": 20, "lag": 4, "gain": 1.3}
SPREAD: dict[str, dict[str, object]] = {
    "the page's first": {},
    "full, 2 layers, embedding": SMALL | {"style": "full", "layers": 2, "embedding": 4},
    "window, carry, partial last window": SMALL | {"cell": "gru", "k": 6, "task": "copy", "layers": 3, "embedding": 3},
    "window, reset": SMALL | {"cell": "gru", "reset_after": False, "k": 6, "value": "reset", "task": "series"},
    "window, reset, 2 layers": SMALL | {"k": 7, "value": "reset", "layers": 2, "loss_at": "last"},
    "window, carry, gradient passed": SMALL | {"cell": "rnn", "k": 5, "gradient": "pass", "task": "lagged_bits"},
    "window, reset, gradient passed": SMALL | {"k": 5, "value": "reset", "gradient": "pass", "task": "series"},
    "windows without a loss": SMALL | {"k": 6, "task": "adding", "layers": 2},
    "window longer than the sequence": SMALL | {"cell": "rnn", "k": 50, "task": "adding"},
    "sliding, carry": SMALL | {"cell": "gru", "reset_after": False, "style": "sliding", "k": 5, "task": "copy"},
    "sliding, reset": SMALL | {"style": "sliding", "k": 5, "value": "reset", "task": "series", "layers": 2},
    "sliding, last loss": SMALL | {"cell": "gru", "style": "sliding", "k": 7, "loss_at": "last", "task": "lagged_bits"},
    "k1k2, carry": SMALL | {"cell": "rnn", "style": "k1k2", "k1": 3, "k2": 7, "task": "series", "layers": 2},
    "k1k2, reset": SMALL | {"cell": "gru", "style": "k1k2", "k1": 3, "k2": 8, "value": "reset", "embedding": 5},
    "k1k2, reset, gradient passed": SMALL | {"style": "k1k2", "k1": 6, "k2": 9, "value": "reset", "gradient": "pass"},
    "random, carry": SMALL | {"style": "random", "p": 0.2, "layers": 2},
    "random, reset": SMALL | {"cell": "gru", "style": "random", "p": 0.2, "value": "reset", "task": "series"},
    "random, gradient passed": SMALL | {"cell": "rnn", "style": "random", "gradient": "pass", "value": "reset"},
    "random, never cut": SMALL | {"cell": "gru", "reset_after": False, "style": "random", "p": 0, "task": "adding"},
    "k1 longer than the sequence": SMALL | {"style": "k1k2", "k1": 30, "k2": 40, "task": "copy"},
}
TOLERANCE = 1e-10  # twelve digits are printed
PACKAGES = {"pytorch": ("torch",), "keras": ("keras", "tensorflow"), "jax": ("jax",), "numpy": (),
            "tensorflow1": ("tensorflow", "tf-keras")}
NOTES = {"tensorflow1": "Not run on TensorFlow 1 itself, which does not install on this Python, but on the compat.v1 "
                        "of TensorFlow 2."}
IMPORTED = {"pytorch": ("torch",), "jax": ("jax",)}  # before a program starts; its libraries may be forked then
# Where TensorFlow 1 is asked for, TensorFlow 2's image of it answers; with the old Keras, which has the old cells.
COMPATIBLE = """
import os, sys
os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3")
import tensorflow.compat.v1
tensorflow.compat.v1.disable_v2_behavior()
sys.modules["tensorflow"] = tensorflow.compat.v1
exec(compile(open("program.py", encoding="utf-8").read(), "program.py", "exec"))
"""


@dataclass(frozen=True)
class Run:
    """The printed numbers by what is printed before them, and what the engine says of each."""

    printed: dict[str, float]
    expected: dict[str, float]

    @property
    def worst(self) -> float:
        """The largest relative difference; infinite where one is zero and the other is not."""
        assert list(self.printed) == list(self.expected)
        return max(_relative(self.printed[name], wanted) for name, wanted in self.expected.items())


def run(framework: str, name: str, folder: Path, python: str = sys.executable, fresh: bool = False) -> Run:
    """Returns what the program of a config of the spread prints, run in an empty folder; `fresh`: it imports all."""
    config = parse(SPREAD[name])
    found = analyze(config, include=frozenset({"weights", "inputs"}), certify=False)
    (folder / "unrolled.npz").write_bytes(encode_npz(found))
    (folder / "program.py").write_text(program(framework, config).text, encoding="utf-8")
    python = str(Path(python).absolute())  # not resolved: the link in an environment says which one it is
    imported = () if fresh else IMPORTED.get(framework, ())
    start = ("-W", "ignore", "-c", COMPATIBLE) if framework == "tensorflow1" else ("program.py",)
    done = alone.forked(folder, python, imported) if imported else alone.fresh(folder, [python, *start])
    assert done.code == 0, f"{framework}, {name}:\n{done.error}"
    lines = [line.rsplit(" ", 1) for line in done.printed.splitlines()]
    return Run({line[0]: float(line[1]) for line in lines}, _expected(found))


def _expected(found: Analysis) -> dict[str, float]:
    out = {"loss": found.loss.total}
    out |= {f"|dL/d{name}|": norm for name, norm in found.truncated.blocks.items()}
    return out | {f"|dL/dh_{t}|": float(norm) for t, norm in enumerate(found.truncated.h)}


def _relative(printed: float, wanted: float) -> float:
    if printed == wanted:
        return 0.0
    return abs(printed - wanted) / abs(wanted) if wanted else float("inf")


def digest(framework: str) -> str:
    """Returns a digest of the texts of a framework's programs, over the spread."""
    texts = "\0".join(program(framework, parse(options)).text for options in SPREAD.values())
    return hashlib.sha256(texts.encode()).hexdigest()


def versions(framework: str, python: str) -> tuple[Package, ...]:
    """Returns the libraries that a program needs, with their versions, and Python's."""
    names = (*PACKAGES[framework], "numpy")
    script = ("import sys, platform, importlib.metadata as m\nprint('Python', platform.python_version())\n"
              "for n in sys.argv[1:]: print(n, m.version(n).partition('+')[0])")
    done = subprocess.run([python, "-c", script, *names], capture_output=True, text=True, check=True)
    found = [line.split() for line in done.stdout.splitlines()]
    return tuple(Package(package, version) for package, version in [*found[1:], found[0]])


def check(framework: str, python: str) -> Checked:
    """Returns the outcome of the whole spread; raises where a number is not the engine's."""
    worst = 0.0
    for name in SPREAD:
        with tempfile.TemporaryDirectory() as folder:
            worst = max(worst, run(framework, name, Path(folder), python).worst)
        assert worst < TOLERANCE, f"{framework}, {name}: {worst}"
    return Checked(versions(framework, python), len(SPREAD), float(f"{worst:.1e}"), digest(framework),
                   NOTES.get(framework, ""))


def main() -> None:
    """Runs the spread of each framework named and writes the outcome down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", nargs="+", choices=list(FRAMEWORKS))
    parser.add_argument("--python", default=sys.executable, help="the interpreter whose packages are used")
    given = parser.parse_args()
    found = {name: asdict(entry) for name, entry in read_checked().items()} if FILE.exists() else {}
    for framework in given.framework:
        found[framework] = asdict(check(framework, given.python))
        print(framework, found[framework])
    ordered = {name: found[name] for name in FRAMEWORKS if name in found}
    FILE.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
