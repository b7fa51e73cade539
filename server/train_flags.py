"""The flags of `unrolled train`; what it does stands apart, so that the other commands need not load it. (leaf)"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from engine import Option
from engine.training import LAB_OPTIONS, LAB_PRESETS

FLAGS = [f"--{option.name.replace('_', '-')}" for option in LAB_OPTIONS]
FLAGS += ["--text-file", "--series-file", "--json", "--csv", "--report", "--quiet"]
PREFIX = "lab."  # before the name of an option's flag among the parsed arguments


def add_to(found: Any, run: Callable[[argparse.Namespace], int], metavar: Callable[[Option], str],
           help_of: Callable[[Option], str]) -> None:  # fmt: skip
    """Adds `train` to the command's subparsers."""
    made = found.add_parser("train", help="train a lab's strategies side by side; prints the verdict",
                            allow_abbrev=False)  # fmt: skip
    names = ", ".join(preset.name for preset in LAB_PRESETS)
    made.add_argument("lab", metavar="CONFIG.json", help=f"a lab, as POST /api/v1/training takes it; or one of {names}")
    group = made.add_argument_group("the lab; flags override the file")
    for option in LAB_OPTIONS:
        flag = "--" + option.name.replace("_", "-")
        group.add_argument(flag, dest=PREFIX + option.name, metavar=metavar(option), help=help_of(option))
    group.add_argument("--text-file", metavar="FILE", help="the text, from a file in UTF-8 of up to 5 MB")
    group.add_argument("--series-file", metavar="FILE.csv", help="the series, a column each, from a file in UTF-8")
    group = made.add_argument_group("what comes out")
    for form, what in (("json", "every number"), ("csv", "a row a point and a moment")):
        said = f"{what}, to a file or standard output"
        group.add_argument(f"--{form}", nargs="?", const="-", metavar="FILE", help=said)
    group.add_argument("--report", metavar="FILE.html", help="a page with pictures that opens without a network")
    group.add_argument("--quiet", action="store_true", help="no progress bar")
    made.set_defaults(run=run)
