"""A series from a CSV text.

The syntax of a series is small on purpose, so that nothing is guessed: one row a time step; cells separated by
tabs if the first line has one, else by semicolons, else by commas; a first line without any number is the
header; a number is ASCII, with a dot as its decimal mark: 12, -0.5, .5, 1e-3. A cell may stand in double
quotes. Empty lines at the end and a byte order mark are passed over. There are no gaps, dates, thousands
separators or underscores.
"""

from __future__ import annotations

import re

from engine.config import LONGEST_SERIES
from engine.errors import InputError, refuse, shorten

MOST_COLUMNS = 16
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,4})?")
_WORDS = {"nan", "na", "n/a", "null", "none", "inf", "-inf", "infinity", "-infinity", "?", "-"}
FORM = "Put each time step on its own line, the columns separated by commas, semicolons or tabs."


def series_from_csv(text: str) -> tuple[tuple[float, ...], ...]:
    """Returns the columns of a CSV text, each a tuple of numbers.

    Raises InputError naming the line and the column of a gap, of text, of a number that is not finite, and of
    a row of another length; and for one row, or more columns or rows than the limits."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").rstrip().split("\n")
    separator = next((mark for mark in "\t;" if mark in lines[0]), ",")
    first = _cells(lines[0], separator)
    skip = 0 if any(_NUMBER.fullmatch(cell) for cell in first) else 1
    if len(first) > MOST_COLUMNS:
        raise refuse("series", f"{len(first)} columns", f"must have at most {MOST_COLUMNS} columns", f"{FORM} "
                     "Keep the columns that matter.")
    if len(lines) - skip < 2:
        raise refuse("series", "no row of numbers" if len(lines) == skip else "one row", "must have a row a time step, "
                     "and at least two", FORM)
    if len(lines) - skip > LONGEST_SERIES:
        raise refuse("series", f"{len(lines) - skip:,} rows", f"must have at most {LONGEST_SERIES:,} rows",
                     f"Take one row in {-(-(len(lines) - skip) // LONGEST_SERIES)}, or a part of them.")
    rows = [_row(line, number, separator, len(first)) for number, line in enumerate(lines[skip:], skip + 1)]
    return tuple(zip(*rows, strict=True))


def _cells(line: str, separator: str) -> list[str]:
    return [_unquoted(cell.strip(" ")) for cell in line.split(separator)]


def _unquoted(cell: str) -> str:
    return cell[1:-1].strip(" ") if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def _row(line: str, number: int, separator: str, columns: int) -> list[float]:
    cells = _cells(line, separator)
    if len(cells) != columns:
        raise refuse("series", f"line {number} with {len(cells)} cells",
                     f"must have {columns}, as the first line has", FORM)
    return [_number(cell, f"line {number}, column {column}") for column, cell in enumerate(cells, 1)]


def _number(cell: str, place: str) -> float:
    value = float(cell) if _NUMBER.fullmatch(cell) else None
    if value is None or value in (float("inf"), float("-inf")):
        raise _wrong(cell, place, value)
    return value


def _wrong(cell: str, place: str, value: float | None) -> InputError:
    if cell == "" or cell.lower() in _WORDS:
        return refuse("series", f"{place}: {shorten(cell) if cell else 'a gap'}", "must be a number in every cell",
                      "Fill the gaps, for example with the value before, or leave those rows out.")
    if value is not None:
        return refuse("series", f"{place}: {shorten(cell)}", "must fit in double precision", "Scale the numbers down.")
    hint = "Use a dot as the decimal mark." if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", cell) else (
        "Leave columns of dates and names out; write numbers as 12, -0.5 or 1e-3.")
    return refuse("series", f"{place}: {shorten(cell)}", "must be a number", hint)
