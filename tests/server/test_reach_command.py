"""`unrolled reach`: its exit codes, its words and its staircase."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from engine.recorded import Recorded, reach_of
from scripts.shell import ROOT
from server import cli
from server.traces.staircase import staircase
from tests.engine.false_traces import FALSE, fields, trace
from tests.engine.recorded_traces import GRU2, LSTM, RNN, arrays, every, made, meta
from tests.engine.test_recorded import file_of


def run(tmp_path: Path, file: bytes, *more: str) -> int:
    (tmp_path / "trace.npz").write_bytes(file)
    return cli.main(["reach", str(tmp_path / "trace.npz"), *more])


@pytest.mark.parametrize(("flags", "code"), [
    ([], 0), (["--expect", "window:4"], 0), (["--expect", "window:4,carry"], 0), (["--expect", "window:5"], 1),
    (["--expect", "window:4,reset"], 1), (["--expect", "full"], 1), (["--expect", "sliding:4"], 1),
    (["--expect", "k1k2:4,4"], 0), (["--expect", "k1k2:2,4"], 1), (["--expect", "windw:4"], 2), (["--expct"], 2),
])  # fmt: skip
def test_exit_codes(flags: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, trace(), *flags) == code
    out, err = capsys.readouterr()
    assert bool(out) == (code != 2)
    assert bool(err) == (code == 2)


def test_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    losses = [3, 5, 11]
    text = fields(notes=["A note of the tap's."])
    found = arrays(LSTM, {"lstm.l0.c": [4, 8]}, 12, losses)
    assert run(tmp_path, file_of(text, found)) == 1
    assert capsys.readouterr().out == """\
a test, none: 12 steps, 2 states

The loss at step 11 reaches all the way back to step 0.
window(4) was declared: it should reach step 8 and no further. 2 of 3 losses differ.
You cut every 4 steps. c is cut, h is not: the gradient leaks through h across windows.
The state's value is carried from window to window.

loss   state step 0 to 11
   3   ###L........
   5   !!!!#L......
  11   !!!!!!!!###L
L its loss   # reached   . not reached   ! reached, but should not be   ? not reached, but should be

A note of the tap's.
"""


def test_json_is_the_apis_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, trace(), "--json") == 0
    assert json.loads(capsys.readouterr().out)["agrees"] is True
    assert run(tmp_path, trace(), "--expect", "full", "--json", str(tmp_path / "out.json")) == 1
    assert json.loads((tmp_path / "out.json").read_text())["reach"]["title"] == "full BPTT"


BAD = ["nothing", "cut in half", "objects", "a bomb of 1 GiB", "a folder above", "version 2"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_of_its_own(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, said = FALSE[name]
    assert run(tmp_path, file) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("unrolled: ")
    assert said in err


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reach", str(tmp_path / "none.npz")]) == 2
    assert "No such file" in capsys.readouterr().err


def test_a_pipe_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert cli.main(["reach", str(tmp_path / "pipe")]) == 2
    assert "is no plain file" in capsys.readouterr().err
    assert cli.main(["reach", str(tmp_path)]) == 2
    assert "trace" in capsys.readouterr().err


def test_a_trace_that_says_nothing_of_its_reach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    silent = file_of(meta(RNN), {"loss": np.ones(3)})
    assert run(tmp_path, silent) == 0
    assert "neither connected nor credit" in capsys.readouterr().out
    assert run(tmp_path, silent, "--expect", "full") == 2
    assert "neither connected nor credit" in capsys.readouterr().err


def test_a_long_staircase_has_a_line_for_the_loss_that_is_spoken_of() -> None:
    T = 2000
    found = made(RNN, {"rnn.l0.h": every(100, T)}, T, every(100, T, 0), {"style": "window", "k": 100},
                 losses=list(range(7, T, 20)))
    lines = _picture(found).splitlines()
    assert lines[0] == "loss   state step 0 to 1999, 32 a character"
    assert 24 <= len(lines) - 2 <= 25
    assert all(len(line) == 7 + 63 for line in lines[1:-1])


def test_a_missing_reach_is_marked() -> None:
    found = made(GRU2, {row: every(5, 20) for row in GRU2}, 20, every(5, 20, 0), {"style": "window", "k": 10})
    assert "  19   ..........?????####L" in _picture(found)


def _picture(found: Recorded) -> str:
    reach = reach_of(found)
    assert reach is not None
    return staircase(reach, found.steps)


def test_an_analysis_is_written_as_a_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "trace.npz")
    flags = ["--steps", "30", "--hidden", "4", "--style", "k1k2", "--k1", "3", "--k2", "8"]
    assert cli.main(["analyze", *flags, "--trace", file]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["reach", file, "--expect", "k1k2:3,8"]) == 0
    assert cli.main(["reach", file, "--expect", "window:3"]) == 1


def test_the_example_of_the_page_is_a_leak_through_h(capsys: pytest.CaptureFixture[str]) -> None:
    """It was recorded from PyTorch by the tap, as it is served."""
    assert cli.main(["reach", str(ROOT / "static/examples/leak.npz")]) == 1
    out = capsys.readouterr().out
    assert "You cut every 20 steps. c is cut, h is not: the gradient leaks through h across windows." in out
    assert out.startswith("torch_tap 1, torch ")
    assert cli.main(["reach", str(ROOT / "static/examples/leak.npz"), "--expect", "full"]) == 0
