"""From what a person wrote to a lab, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from engine.config import Option, check, read, unknown
from engine.errors import InputError, Problem, refuse, shorten
from engine.training.checks import check_data, check_together
from engine.training.columns import MOST_COLUMNS, series_from_csv
from engine.training.estimate import check_limits
from engine.training.lab import Lab
from engine.training.options import (
    LAB_OPTION,
    LAB_OPTIONS,
    MOST_NUMBERS,
    MOST_STRATEGIES,
    STRATEGY_OPTION,
    STRATEGY_OPTIONS,
    canonical_lab,
)
from engine.training.strategies import Strategy


def parse_lab(given: Mapping[str, object], base: Lab | None = None) -> Lab:
    """Returns the validated, canonical lab of a mapping of names to JSON values or strings.

    Without `strategies` it has the usual ones: window(20) carried and reset, and full BPTT where the
    sequence is finite. Raises InputError with one Problem for every unknown name and every wrong value."""
    values, problems = _read_all(given, _read_field)
    if problems:
        raise InputError(problems)
    lab = replace(base or Lab(), **values)
    if base is None and "strategies" not in given and lab.steps:
        lab = replace(lab, strategies=(Strategy(style="full"), *lab.strategies))
    return validate_lab(lab)


def _read_all(given: Mapping[str, object], reader: Any) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, raw in given.items():
        try:
            values[name] = reader(name, raw)
        except InputError as error:
            problems.extend(error.problems)
    return values, problems


def _read_field(name: str, raw: object) -> Any:
    if name == "strategies":
        return _read_strategies(raw)
    if name not in LAB_OPTION:
        raise InputError(unknown("config", name, [*LAB_OPTION, "strategies"]))
    return _read_columns(raw) if name == "series" else read(LAB_OPTION[name], raw)


def _read_columns(raw: object) -> tuple[tuple[float, ...], ...]:
    """A string of several lines is CSV; of one line, one column; a list has numbers, or columns."""
    option = LAB_OPTION["series"]
    if isinstance(raw, str) and "\n" in raw.strip():
        return series_from_csv(raw)
    if isinstance(raw, (list, tuple)) and any(isinstance(column, (list, tuple)) for column in raw):
        if len(raw) > MOST_COLUMNS:
            raise refuse("series", f"{len(raw)} columns", f"must have at most {MOST_COLUMNS} columns",
                         "Keep the columns that matter.")
        return tuple(read(option, column) for column in raw)
    column = read(option, raw)
    return (column,) if column else ()


def _read_strategies(raw: object) -> tuple[Strategy, ...]:
    if not isinstance(raw, (list, tuple)) or not 1 <= len(raw) <= MOST_STRATEGIES:
        shown = f"{len(raw)} strategies" if isinstance(raw, (list, tuple)) else shorten(raw)
        raise refuse("strategies", shown, f"must be a list of 1 to {MOST_STRATEGIES} strategies",
                     'Give for example [{"style": "window", "k": 20}, {"style": "window", "k": 20, "value": "reset"}].')
    problems: list[Problem] = []
    found: list[Strategy] = []
    for index, each in enumerate(raw):
        try:
            found.append(each if isinstance(each, Strategy) else _read_strategy(each))
        except InputError as error:
            problems += [replace(p, field=f"strategies[{index}].{p.field}") for p in error.problems]
    if problems:
        raise InputError(problems)
    return tuple(found)


def _read_strategy(raw: object) -> Strategy:
    if not isinstance(raw, Mapping):
        raise refuse("style", raw, "a strategy must be an object", 'Give for example {"style": "window", "k": 20}.')
    values, problems = _read_all(raw, _read_strategy_field)
    if problems:
        raise InputError(problems)
    return Strategy(**values)


def _read_strategy_field(name: str, raw: object) -> Any:
    if name not in STRATEGY_OPTION:
        raise InputError(unknown("config", name, list(STRATEGY_OPTION)))
    return read(STRATEGY_OPTION[name], raw)


def validate_lab(lab: Lab) -> Lab:
    """Returns the canonical lab, or raises InputError naming every value out of its limits."""
    problems = [p for option in LAB_OPTIONS for p in _limits(option, getattr(lab, option.name))]
    for index, strategy in enumerate(lab.strategies):
        problems += [replace(p, field=f"strategies[{index}].{p.field}") for option in STRATEGY_OPTIONS
                     for p in _limits(option, getattr(strategy, option.name))]
    if problems:
        raise InputError(problems)
    lab = canonical_lab(lab)
    for rule in (check_together, check_data, check_limits):
        problems = rule(lab)
        if problems:
            raise InputError(problems)
    return lab


def _limits(option: Option, value: Any) -> Sequence[Problem]:
    try:
        if option.kind == "series":
            _check_columns(option, value)
        else:
            check(option, value)
    except InputError as error:
        return error.problems
    return ()


def _check_columns(option: Option, columns: tuple[tuple[float, ...], ...]) -> None:
    if len({len(column) for column in columns}) > 1 or () in columns:
        raise refuse("series", f"columns of {', '.join(str(len(c)) for c in columns)} numbers",
                     "must be equally long, and not empty", "Give every column a number for every time step.")
    total = sum(map(len, columns))
    if total > MOST_NUMBERS:
        raise refuse("series", f"{total:,} numbers", f"must have at most {MOST_NUMBERS:,} in all",
                     f"Give {total / MOST_NUMBERS:.1f} times fewer rows, or fewer columns.")
    for column in columns:
        check(option, column)


def lab_as_dict(lab: Lab) -> dict[str, Any]:
    """Returns the lab as JSON takes it; `parse_lab` of it is the lab again."""
    out = {f.name: getattr(lab, f.name) for f in fields(Lab)}
    out["series"] = [list(column) for column in lab.series]
    out["strategies"] = [{f.name: getattr(s, f.name) for f in fields(Strategy)} for s in lab.strategies]
    return out
