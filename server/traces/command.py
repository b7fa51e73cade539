"""`unrolled reach TRACE`: the reach test on the command line, for somebody's continuous integration."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from engine.errors import refuse
from engine.phrases import count
from engine.recorded import Outcome, parse_expected
from engine.recorded.words import NOTHING_ASKED
from server import commands, encoding
from server.traces.reading import tested_file
from server.traces.staircase import staircase
from server.traces.view import view_of

FLAGS = ["--expect", "--json"]


def add_to(found: Any) -> None:
    """Adds `reach` to the command's subparsers."""
    made = found.add_parser("reach", help="test how far a recorded trace's gradients reach", allow_abbrev=False)
    made.add_argument("trace", metavar="TRACE.npz", help="a trace as a tap writes it; docs/traces.md has the format")
    made.add_argument(
        "--expect",
        metavar="STYLE",
        help="full, window:20, sliding:20 or k1k2:10,20, with ,carry or ,reset behind it (default: what it declares)",
    )
    made.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="the API's answer, to a file or standard output"
    )
    made.set_defaults(run=reach)


def reach(arguments: argparse.Namespace) -> int:
    """Prints the sentences and the staircase. Returns 1 where the trace is not what was expected."""
    expect = None if arguments.expect is None else parse_expected(arguments.expect)
    found = _opened(arguments.trace, expect)
    if found.reach is None and (expect or found.recorded.about.declared):
        raise refuse("connected", "missing", NOTHING_ASKED, "Record it with a tap that asks which losses reach what.")
    if arguments.json:
        commands.write(encoding.encode_json(view_of(found)), arguments.json)
    else:
        print("\n".join(_printed(found)))
    return 1 if found.reach is not None and found.reach.agrees is False else 0


def _opened(name: str, expect: Any) -> Outcome:
    if Path(name).exists() and not (Path(name).is_file() or Path(name).is_dir()):  # a pipe would be waited for
        raise refuse("trace", name, "is no plain file", "Name a file that can be read.")
    try:
        return tested_file(Path(name), expect)
    except OSError as error:
        raise refuse("trace", name, error.strerror or str(error), "Name a file that can be read.") from None


def _printed(found: Outcome) -> list[str]:
    recorded, about = found.recorded, found.recorded.about
    size = f"{count(recorded.steps, 'step')}, {count(len(about.rows), 'state')}"
    lines = [f"{about.tool}, {about.framework}: {size}", "", *found.sentences]
    if found.reach is not None:
        lines += ["", staircase(found.reach, recorded.steps)]
    return [*lines, *(["", *about.notes] if about.notes else [])]
