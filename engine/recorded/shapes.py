"""Which arrays a trace may have, of which kind and shape: told by their headers alone, before a number is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from engine.recorded import limits
from engine.recorded.archive import Head, bad
from engine.recorded.recording import Origin


@dataclass(frozen=True)
class Form:
    """The kinds and axes of one array."""

    axes: str
    kinds: str = "f"


FORMS: dict[str, Form] = {
    "loss": Form("T"), "state": Form("PT"), "grad": Form("PT"),
    "losses": Form("R", "iu"), "connected": Form("PRT", "iub"), "credit": Form("PRT"),
    "edge": Form("PT", "iub"), "value": Form("PT", "iub"),
    "norm_before": Form("UQ"), "norm_after": Form("UQ"), "memory": Form("U", "fiu"),
}
META = "meta"
NEEDED = (META, "loss")
STATES = re.compile(r"states_([0-9]{1,2})")
MEANING = {"T": "steps", "P": "rows", "R": "losses", "U": "updates", "Q": "parameters", "B": "batch", "H": "units"}


def steps_of(heads: Mapping[str, Head]) -> int:
    """Returns T, or raises InputError for arrays that no trace has, or that every trace has and are missing."""
    for name in heads:
        if name not in FORMS and name != META and not STATES.fullmatch(name):
            near = get_close_matches(name, [*FORMS, META], 1)
            raise bad(name, "given", "is no array of a trace",
                      f"Did you mean {near[0]}?" if near else "See the table of arrays in docs/traces.md.")
    for name in NEEDED:
        if name not in heads:
            raise bad(name, "missing", "must be in every trace")
    if heads[META].dtype.str[1:] != "u1" or len(heads[META].shape) != 1:
        raise bad(META, _shown(heads[META]), "must be a line of bytes (uint8)",
                  "Store numpy.frombuffer(json.dumps(fields).encode(), numpy.uint8).")
    if heads[META].count > limits.META_BYTES:
        raise bad(META, f"{heads[META].count} bytes", f"must have at most {limits.META_BYTES} bytes")
    shape = heads["loss"].shape
    if len(shape) != 1 or not 1 <= shape[0] <= limits.MOST_STEPS:
        raise bad("loss", f"shape {shape}", f"must have one axis, of 1 to {limits.MOST_STEPS} steps",
                  "Record fewer updates.")
    return int(shape[0])


def check(heads: Mapping[str, Head], about: Origin) -> None:
    """Raises InputError for an array of another kind or shape than the JSON and the other arrays say."""
    sizes = {"T": steps_of(heads), "P": len(about.rows), "Q": len(about.parameters), "B": about.batch}
    _most("rows x steps", sizes["P"] * sizes["T"], limits.MOST_CELLS)
    if "losses" in heads:
        _kind("losses", heads["losses"], FORMS["losses"])
        sizes["R"] = _length("losses", heads["losses"])
        _most("losses", sizes["R"], limits.MOST_LOSSES)
        _most("rows x losses", sizes["P"] * sizes["R"], limits.MOST_LINES)
    for name, head in heads.items():
        if name == META:
            continue
        form = FORMS.get(name) or _states(name, sizes["P"])
        _kind(name, head, form)
        if "R" in form.axes and "R" not in sizes:
            raise bad(name, "given", "needs losses, the steps whose losses were asked about", "Store losses too.")
        _shape(name, head, form, sizes)


def _states(name: str, rows: int) -> Form:
    if int(name.removeprefix("states_")) >= rows:
        raise bad(name, "given", f"must name one of the {rows} rows, counted from 0")
    return Form("TBH")


def _kind(name: str, head: Head, form: Form) -> None:
    if head.dtype.kind not in form.kinds:
        kinds = " or ".join({"f": "floats", "i": "integers", "b": "booleans"}[kind]
                            for kind in form.kinds if kind != "u")
        raise bad(name, f"dtype {head.dtype}", f"must be {kinds}", "Convert it with .astype before it is stored.")


def _shape(name: str, head: Head, form: Form, sizes: dict[str, int]) -> None:
    named = ", ".join(f"{letter} {MEANING[letter]}" for letter in form.axes)
    if len(head.shape) != len(form.axes):
        raise bad(name, f"shape {head.shape}", f"must have the axes ({named})", "Check the order of the axes.")
    for letter, size in zip(form.axes, head.shape, strict=True):
        if letter in "UH" and letter not in sizes:
            _most(MEANING[letter], size, limits.MOST_UPDATES)
            if letter == "U":
                sizes["U"] = size
        if sizes.get(letter, size) != size:
            raise bad(name, f"shape {head.shape}", f"must have the axes ({named}), and {letter} is {sizes[letter]}",
                      "Check the order of the axes.")
    if form.axes == "UQ":
        _most("updates x parameters", head.count, limits.MOST_NORMS)


def _length(name: str, head: Head) -> int:
    if len(head.shape) != 1 or head.shape[0] < 1:
        raise bad(name, f"shape {head.shape}", "must be one line of steps, at least one")
    return int(head.shape[0])


def _most(what: str, number: int, most: int) -> None:
    if number > most:
        raise bad(what, number, f"must be at most {most}", "Record less: fewer updates, losses or rows.")


def _shown(head: Head) -> str:
    return f"{head.dtype} of shape {head.shape}"
