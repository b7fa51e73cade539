"""Text and series that cannot be trained on: each has a clear answer that says where, and what to do."""

from __future__ import annotations

import pytest

from engine import InputError, parse_lab, series_from_csv
from engine.config import LONGEST_SERIES

WAVE = "\n".join(str(i % 7) for i in range(1000))


def problem(of: object, *args: object) -> str:
    with pytest.raises(InputError) as caught:
        of(*args)  # type: ignore[operator]
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize(("options", "parts"), [
    ({"text": "a" * 9_000}, ("9,000 characters, 1 of them distinct", "there is nothing to predict")),
    ({"text": "ab" * 100}, ("200 characters, 180 to train on and 20 held out",
                            "batch = 16 times the longest window of 20", "321 to train on",
                            "Give at least 357 characters")),
    ({"text": "a b " * 90, "batch": 8, "vocabulary": "word"}, ("180 words", "161 to train on", "21 held out")),
    ({"text": "ab" * 300, "steps": 100}, ("the sequence of 100 steps", "1,601 to train on")),
    ({"text": "the " * 5000, "vocabulary": "word"}, ("5,000 words, 1 of them distinct",)),
    ({"task": "series", "series": "5\n" * 1000}, ("1,000 rows, all the same",)),
    ({"task": "series", "series": [1, 2, 3]}, ("3 rows, 3 to train on and 0 held out",)),
    ({"task": "series", "series": [[1, 2], [1]]}, ("columns of 2, 1 numbers", "equally long")),
    ({"task": "series", "series": [[1, 2]] * 17}, ("17 columns", "at most 16 columns")),
    ({"task": "series", "series": [[1] * 40_000] * 16}, ("640,000 numbers", "at most 500,000 in all", "1.3 times")),
])
def test_data_that_a_lab_cannot_use(options: dict[str, object], parts: tuple[str, ...]) -> None:
    said = problem(parse_lab, options)
    assert all(part in said for part in parts), said


def test_the_length_that_is_asked_for_is_enough_and_one_less_is_not() -> None:
    said = problem(parse_lab, {"text": "ab" * 100})
    needed = int(said.split("Give at least ")[1].split()[0])
    assert parse_lab({"text": ("ab" * needed)[:needed]}).batch == 16
    assert "Give at least" in problem(parse_lab, {"text": ("ab" * needed)[: needed - 2]})


def test_a_csv_of_several_columns_with_or_without_a_header() -> None:
    columns = ((1.0, 3.0, -0.5), (2.0, 4.0, 1000.0))
    for text in ("1,2\n3,4\n-.5,1e3", "x,y\r\n1, 2\r\n3, 4\r\n-0.5,1E+3\r\n\r\n", "\ufeffx;y\n1;2\n3;4\n-.5;1000.",
                 'x\ty\n"1"\t2\n3\t"4"\n-5e-1\t+1000'):
        assert series_from_csv(text) == columns


def test_a_lab_takes_csv_one_line_of_numbers_or_lists() -> None:
    wave = tuple(float(i % 7) for i in range(1000))
    for series in (WAVE, WAVE.replace("\n", ","), [i % 7 for i in range(1000)], [wave], "wave\n" + WAVE):
        assert parse_lab({"task": "series", "series": series}).series == (wave,)
    two = "\n".join(f"{i % 7},{i}" for i in range(1000))
    assert [column[8] for column in parse_lab({"task": "series", "series": two}).series] == [1.0, 8.0]


@pytest.mark.parametrize(("text", "parts"), [
    ("1,2\n3,\n5,6", ("line 2, column 2: a gap", "Fill the gaps")),
    ("1\n\n3", ("line 2, column 1: a gap",)),
    ("1\nNaN\n3", ("line 2, column 1: 'NaN'", "Fill the gaps")),
    ("1\nN/A\n3", ("line 2, column 1: 'N/A'", "Fill the gaps")),
    ("x,y\n1,2\n3", ("line 3 with 1 cells", "must have 2")),
    ("1\ntwo\n3", ("line 2, column 1: 'two'", "must be a number")),
    ("day,x\n2020-01-01,1\n2020-01-02,2", ("line 2, column 1: '2020-01-01'", "Leave columns of dates")),
    ("x;y\n1,5;2\n2,5;3", ("'1,5'", "Use a dot as the decimal mark")),
    ("1\n1_000\n3", ("'1_000'", "must be a number")),
    ("1\n٣\n3", ("must be a number",)),
    ("1\n0x10\n3", ("'0x10'",)),
    ("1\n1e999\n3", ("'1e999'", "must fit in double precision")),
    ("1\ninf\n3", ("'inf'",)),
    ("1,2,3", ("one row", "each time step on its own line")),
    ("a,b\n1,2", ("one row",)),
    ("", ("no row of numbers",)),
    ("the quick\nbrown fox\njumps", ("line 2, column 1: 'brown fox'",)),
    (",".join(map(str, range(100))) + "\n" + ",".join(map(str, range(100))), ("100 columns", "at most 16 columns")),
    ("1\n" * (LONGEST_SERIES + 1), ("100,001 rows", "at most 100,000 rows", "one row in 2")),
])
def test_a_csv_that_is_no_series(text: str, parts: tuple[str, ...]) -> None:
    said = problem(series_from_csv, text)
    assert all(part in said for part in parts), said


def test_a_cell_without_end_is_not_echoed_whole() -> None:
    assert len(problem(series_from_csv, "1\n" + "x" * 100_000)) < 400
