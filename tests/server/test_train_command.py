"""`unrolled train`: the same numbers as the server's, a bar, and one line about what is wrong."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from scripts.shell import ROOT
from tests.server.live import Live, alive, until
from tests.server.training_client import TINY, numbers, served, trainers, visitor, within


def train(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server.cli", "train", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env=os.environ | {"UNROLLED_TRAINING_NICE": "0"})  # fmt: skip


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "lab.json"
    path.write_text(json.dumps(TINY))
    return path


def test_it_prints_the_verdict_and_shows_a_bar(lab: Path) -> None:
    done = train(lab)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("On this text, with num_steps 5, carrying the state")
    assert "window(5), state reset" in done.stdout
    assert "MiB an update" in done.stdout


def test_its_numbers_are_those_of_the_server(lab: Path, tmp_path: Path) -> None:
    done = train(lab, "--json", "--csv", tmp_path / "out.csv", "--report", tmp_path / "out.html", "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    mine = json.loads(done.stdout)
    with served(tmp_path / "kept") as server:
        owner = visitor(server)
        theirs = numbers(owner.events(owner.until(owner.start(), "done")["id"]))
    for lane in mine["lanes"]:
        points = [item for item in theirs[f"{lane['strategy']}.{lane['seed']}"] if item["event"] == "point"]
        assert lane["points"]["loss"] == [point["loss"] for point in points]
        assert lane["points"]["tokens"] == [point["tokens"] for point in points]
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert {row["kind"] for row in rows} == {"point", "moment"}
    assert mine["verdict"]["headline"] in (tmp_path / "out.html").read_text()


def test_flags_and_files_override_the_lab(lab: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_bytes("\ufeffWas man nicht trainiert, das lernt es nicht. ".encode() * 200)
    done = train(lab, "--text-file", text, "--hidden", 3, "--tokens", 1000, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["lab"]
    assert (found["hidden"], found["tokens"], found["batch"]) == (3, 1000, TINY["batch"])
    assert found["text"].startswith("Was man nicht")


def test_what_is_wrong_is_one_line(lab: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"caf\xe9 " * 100)
    cases = [
        (("nowhere.json",), "nowhere.json"),
        ((lab, "--hidden", "many"), "hidden = 'many': must be a number"),
        ((lab, "--text-file", bad), "byte 3 is not"),
        ((lab, "--tokens", "5"), "tokens = 5"),
        ((lab, "--hiden", "5"), "Did you mean --hidden?"),
    ]
    for arguments, said in cases:
        done = train(*arguments)
        assert (done.returncode, done.stdout) == (2, ""), arguments
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_nothing_of_it_is_left_behind(lab: Path, tmp_path: Path) -> None:
    before = set(Path(os.environ.get("TMPDIR", "/tmp")).glob("unrolled-*"))
    assert train(lab, "--quiet").returncode == 0
    assert set(Path(os.environ.get("TMPDIR", "/tmp")).glob("unrolled-*")) <= before


def test_an_interrupt_ends_it_and_its_processes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server.cli", "train", "carry-or-reset", "--tokens", "10000000"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # tests that run in the background ignore it
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=heard) as process:  # fmt: skip
        try:
            running = Live(process, 0)
            until(lambda: len(trainers(running)) > 0, within(20))
            processes = trainers(running)
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=within(10))
        finally:
            process.kill()
    assert (process.returncode, output, errors) == (130, "", "")
    until(lambda: not any(map(alive, processes)), within(2))
