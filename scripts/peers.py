"""The conventions beside the live libraries: `make test-peers` is `python -m scripts.peers`, or a few of them by name.

The libraries are no dependencies. pip installs them (pip, not uv, so that a wheel that pip's own configuration knows
of is found) into an environment of their own inside this one, which sees this one's packages: what they bring with
them, such as another event loop, must not change what the server's tests run on. Each test file has a process of its
own, as the libraries do not all go together in one; as many run side by side as there are cores. What JAX compiles in
one of them is kept for all of them: most of their time goes into that. A library that cannot be had is told as not run;
with CI set that is a failure.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path

from scripts.outcome import Outcome, succeeded, summary
from scripts.parts import read_report
from scripts.shell import run

INSTALL_SECONDS = 1500.0
HOME = Path(sys.prefix) / "peers"
PYTHON = HOME / "bin/python"


@dataclass(frozen=True)
class Peer:
    """What pip installs, and the test files of tests/peers that it makes possible, those that take long first."""

    packages: tuple[str, ...]
    tests: tuple[str, ...]


PEERS: dict[str, Peer] = {
    "torch": Peer(("torch==2.13.0", "safetensors==0.8.0"),
                  ("pytorch", "safetensors", "code_pytorch", "tap_torch", "tap_torch_forms", "tap_torch_untouched",
                   "museum_torch")),
    "jax": Peer(("jax==0.10.2", "flax==0.12.8", "dm-haiku==0.0.17"), ("code_jax", "tap_jax", "linen", "dm_haiku")),
    "onnx": Peer(("onnx==1.23.2",), ("onnx_reference",)),
    "tensorflow": Peer(("tensorflow==2.21.0", "tf-keras==2.21.0", "keras==3.15.1"),
                       ("tf1", "keras3", "code_tensorflow1", "code_keras", "tap_keras", "museum_keras")),
}
# Else JAX keeps what takes it long alone; all these programs are small.
KEEPING = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
SHOWN = ("torch", "safetensors", "jax", "flax", "dm-haiku", "onnx", "tensorflow", "tf-keras", "keras", "numpy")


def main(wanted: Sequence[str]) -> int:
    """Returns the exit code of the wanted libraries' tests."""
    unknown = [name for name in wanted if name not in PEERS]
    if unknown:
        print(f"no such library: {', '.join(unknown)}; choose from {', '.join(PEERS)}", file=sys.stderr)
        return 2
    environment()
    missing = [outcome for name in wanted if (outcome := _installed(name))]
    had = [PEERS[name] for name in wanted if name not in {outcome.part for outcome in missing}]
    with tempfile.TemporaryDirectory() as kept, ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = [*pool.map(partial(_test, kept), [file for peer in had for file in peer.tests]), *missing]
    print(f"\nFound: {versions()}\n\n{summary(outcomes)}", flush=True)
    return 0 if succeeded(outcomes, strict=bool(os.environ.get("CI"))) else 1


def environment() -> None:
    """Makes the libraries' environment, where there is none: one that sees the packages of this one."""
    if PYTHON.exists():
        return
    venv.create(HOME, with_pip=False)
    inner, outer = (sysconfig.get_path("purelib", vars={"base": str(base)}) for base in (HOME, sys.prefix))
    Path(inner, "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n", encoding="utf-8")


def versions() -> str:
    """Returns the installed libraries with their versions."""
    places = [sysconfig.get_path("purelib", vars={"base": str(base)}) for base in (sys.prefix, HOME)]
    found = {each.metadata["Name"].replace("_", "-"): each.version for each in metadata.distributions(path=places)}
    return ", ".join(f"{name} {found[name]}" for name in SHOWN if name in found)


def install(peer: Peer) -> tuple[int, str]:
    """Installs a library into the environment; returns pip's exit code and what it said."""
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages]
    return run(command, seconds=INSTALL_SECONDS)


def _installed(name: str) -> Outcome | None:
    """Installs a library; returns that its tests did not run where it cannot be had."""
    start = time.monotonic()
    code, output = install(PEERS[name])
    print(f"{name}: installed in {time.monotonic() - start:.1f} s" if code == 0 else output, flush=True)
    return Outcome(name, not_run=(f"pip could not install {', '.join(PEERS[name].packages)}",)) if code else None


def _test(kept: str, file: str) -> Outcome:
    """Runs one test file, and says at its end all that it said; what JAX compiles is kept in the folder `kept`."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [PYTHON, "-m", "pytest", "-rP", f"tests/peers/test_{file}.py", f"--junitxml={report}"]
        code, said = run(command, KEEPING | {"JAX_COMPILATION_CACHE_DIR": kept})
        print(said, flush=True)
        passed, failed, skipped = read_report(report) if report.exists() else (0, 0, [])
    return Outcome(f"peers: {file}", passed, max(failed, int(code != 0)), tuple(skipped), time.monotonic() - start)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(PEERS)))
