"""In JSON a number is a number: its digits as a text are refused, wherever one may stand."""

from __future__ import annotations

from typing import Any

import pytest

from engine import LAB_OPTIONS, OPTION, STRATEGY_OPTIONS, InputError
from server.typed import require_typed

LAB = {option.name: option for option in LAB_OPTIONS}
STRATEGY = {option.name: option for option in STRATEGY_OPTIONS}


@pytest.mark.parametrize(
    ("given", "options", "csv"),
    [
        ({"hidden": 12, "gain": 1.5, "reset_after": True, "text": "12", "cell": "lstm"}, OPTION, False),
        ({"series": [1, 2.5], "steps": None, "unknown": "1"}, OPTION, False),
        ({"series": "1,2\n3,4", "tokens": 5}, LAB, True),
        ({"series": [[1, 2], [3, 4]]}, LAB, True),
        ({"k": 5, "style": "window"}, STRATEGY, False),
        ({}, OPTION, False),
    ],
)
def test_what_is_typed(given: dict[str, Any], options: Any, csv: bool) -> None:
    require_typed(given, options, csv)


@pytest.mark.parametrize(
    ("given", "options", "csv", "names"),
    [
        ({"hidden": "12"}, OPTION, False, ["hidden"]),
        ({"gain": "1.5", "k": "x", "cell": "lstm"}, OPTION, False, ["k", "gain"]),
        ({"reset_after": "true"}, OPTION, False, ["reset_after"]),
        ({"series": "1,2"}, OPTION, False, ["series"]),
        ({"series": [1, "2"]}, OPTION, False, ["series"]),
        ({"series": [[1], ["2"]]}, LAB, True, ["series"]),
        ({"series": ["1", 2]}, LAB, True, ["series"]),
        ({"tokens": "10000", "rate": "0.1"}, LAB, True, ["tokens", "rate"]),
        ({"k": "5"}, STRATEGY, False, ["k"]),
    ],
)
def test_what_is_text_in_place_of_a_number(given: dict[str, Any], options: Any, csv: bool, names: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        require_typed(given, options, csv)
    assert sorted(problem.field for problem in caught.value.problems) == sorted(names)
    assert all("not a string" in problem.limit and problem.remedy for problem in caught.value.problems)


def test_a_series_is_text_only_where_that_is_said() -> None:
    with pytest.raises(InputError, match="series"):
        require_typed({"series": "1,2"}, OPTION)
