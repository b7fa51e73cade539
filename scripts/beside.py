"""Runs a module beside a live library, in the peers' environment: `python -m scripts.beside jax benchmarks.credit`.

Words that follow are the module's. PyTorch, where it is installed beside the project, is there too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scripts.peers import PEERS, PYTHON, environment, install
from scripts.shell import run


def main(library: str, module: str, words: Sequence[str]) -> int:
    """Returns the module's exit code, or pip's where the library cannot be had."""
    environment()
    code, output = install(PEERS[library])
    if code:
        print(output, file=sys.stderr)
        return code
    return run([PYTHON, "-m", module, *words], live=True)[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
