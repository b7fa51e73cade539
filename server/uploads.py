"""Files of weights: what is asked with one, and the engine's blocks that are read from it. Nothing is unpickled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine import CONVENTIONS, Config, errors, parse, read_arrays
from server import conventions
from server.queries import NATIVE, choice, read_pairs

NPZ, SAFETENSORS, ANY = "application/x-npz", "application/vnd.safetensors", "application/octet-stream"
TYPES: dict[str, str] = {NPZ: ".npz", SAFETENSORS: ".safetensors", ANY: ""}  # "": its first bytes tell
OPTIONS: tuple[str, ...] = ("cell", "reset_after", "forget_bias")  # what a file does not say of itself
MOST_NUMBERS = 2**21
QUERY: Sequence[str] = ("convention", *OPTIONS)


@dataclass(frozen=True)
class Upload:
    """A file's bytes, and whose weights they are. Read where it is computed, not on the event loop."""

    body: bytes
    ending: str
    convention: str
    config: Config
    kind: str = "weights"


def whose(raw: bytes) -> tuple[str, Config]:
    """Returns the convention and the cell that an address's query names. Raises InputError or RefusedError."""
    given = read_pairs(raw, QUERY)
    convention = choice("convention", given.pop("convention", NATIVE), tuple(CONVENTIONS))
    return convention, parse(given)


def ending(body: bytes) -> str:
    """Returns the name's ending that a file of these first bytes should have."""
    if body[:2] == b"PK":
        return ".npz"
    return ".pickle" if body[:1] == b"\x80" and body[8:9] != b"{" else ".safetensors"


def weights(asked: Upload) -> dict[str, Any]:
    """Returns what POST /api/v1/analysis takes: the weights as the engine's blocks, and a config of their sizes;
    beside them each block's shape.

    Raises InputError for a file that is not what it says, or is of another cell or convention."""
    with conventions.inside("weights"):
        arrays = read_arrays(asked.body, f"weights{asked.ending}")
    _require_few(sum(array.size for array in arrays.values()))
    blocks = conventions.blocks(asked.convention, asked.config, arrays)
    sizes = conventions.sizes(asked.config, blocks)
    parse(sizes)
    return {
        "convention": NATIVE,
        "config": sizes,
        "shapes": {name: list(block.shape) for name, block in blocks.items()},
        "weights": blocks,
    }


def _require_few(numbers: int) -> None:
    if numbers > MOST_NUMBERS:
        raise errors.refuse(
            "weights",
            f"{numbers} numbers",
            f"must be at most {MOST_NUMBERS} to be answered as JSON",
            "Use the command: unrolled analyze --weights FILE.",
        )
