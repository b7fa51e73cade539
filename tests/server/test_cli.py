"""The command: the same answers as the API, exit codes that mean what they should."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from server import cli
from server.commands import MOST_TEXT_BYTES
from server.version import RELEASE

SMALL = ["--steps", "12", "--hidden", "4", "--batch", "2"]
QUERY = {"steps": 12, "hidden": 4, "batch": 2}
TEXT = "the quick brown fox jumps over the lazy dog. " * 20


def run(*arguments: str) -> int:
    """Returns the exit code; argparse leaves by itself."""
    try:
        return cli.main(arguments)
    except SystemExit as left:
        return int(left.code or 0)


def numbers(answer: Any) -> Any:
    """Returns an answer without the time that it took."""
    return {name: value for name, value in answer.items() if name != "engine_ms"}


def test_the_summary_has_the_sentences_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", *SMALL, "--k", "4") == 0
    out, err = capsys.readouterr()
    truth = engine.analyze(engine.parse({**QUERY, "k": 4}))
    assert " ".join(truth.words.headline.split()) in " ".join(out.split())
    assert "truncated beside full" in out
    assert "Certified" in out
    assert err == ""


def test_json_and_csv_are_the_apis(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", *SMALL, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert numbers(said) == numbers(client.get("/api/v1/analysis", params=QUERY).json())
    assert run("analyze", *SMALL, "--csv") == 0
    table = client.get("/api/v1/analysis", params=QUERY, headers={"accept": "text/csv"}).text
    assert capsys.readouterr().out.splitlines() == table.splitlines()


def test_every_form_goes_to_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {form: tmp_path / f"answer.{form}" for form in ("json", "csv", "npz")}
    assert run("analyze", *SMALL, *(part for form, file in files.items() for part in (f"--{form}", str(file)))) == 0
    assert capsys.readouterr().out == ""
    with np.load(files["npz"]) as arrays:
        shown = json.loads(files["json"].read_text())
        np.testing.assert_array_equal(arrays["truncated.h"], shown["truncated"]["h"])
    assert len(files["csv"].read_text().splitlines()) == 13


def test_every_option_has_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("analyze", "certify"):
        assert run(command, "--help") == 0
        out = capsys.readouterr().out
        assert all(f"--{name.replace('_', '-')} " in out for name in engine.OPTION)


def test_a_config_file_works_as_well_as_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = []
    for name, value in (("alone", QUERY | {"cell": "gru"}), ("posted", {"config": QUERY | {"cell": "gru"}})):
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(value))
        assert run("analyze", "--config", str(file), "--json", "--steps", "10") == 0
        answers.append(numbers(json.loads(capsys.readouterr().out)))
    assert answers[0] == answers[1]
    assert (answers[0]["config"]["cell"], answers[0]["config"]["steps"]) == ("gru", 10)


def test_a_text_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"\xef\xbb\xbf" + TEXT.replace(". ", ".\r\n").encode())
    assert run("analyze", *SMALL, "--text-file", str(file), "--json", "--include", "", "--no-certificate") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["config"]["text"] == TEXT.replace(". ", ".\n")
    assert found["credit"] is found["certificate"] is None


def test_a_text_file_that_is_too_long(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(b"a" * (MOST_TEXT_BYTES + 1))
    assert run("analyze", *SMALL, "--text-file", str(file)) == 2
    assert f"must have at most {MOST_TEXT_BYTES} bytes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cell", "lstn"], "Did you mean lstm?"),
        (["--hiden", "3"], "Did you mean --hidden?"),
        (["--k", "0"], "k = 0: must be from 1"),
        (["--gain", "nan"], "finite"),
        (["--include", "credits"], "include"),
        (["--text-file", "/nowhere/at/all"], "No such file"),
        (["--text-file", sys.executable], "UTF-8"),
        (["--text-file", os.devnull], "is empty"),
        (["--config", "/nowhere/at/all"], "No such file"),
        (["--json", "/nowhere/at/all"], "No such file"),
        (["--json", "--csv"], "one form at a time"),
        (["--steps", "10000", "--hidden", "1024", "--batch", "256"], "T = 10000"),
    ],
)
def test_wrong_input_is_said_and_is_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", *arguments) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert err.startswith("unrolled: ")
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "config ="),
        ("{", "config ="),
        ('{"k": 1, "k": 2}', "more than once"),
        ('{"k": "3"}', "k ="),
        ('{"k": 3, "sytle": "full"}', "Did you mean style?"),
        ('{"confg": {}}', "confg ="),
        ('{"config": 3}', "config"),
        ("[" * 99, "config ="),
    ],
)
def test_a_config_file_that_is_wrong(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    assert run("certify", "--config", str(file)) == 2
    err = capsys.readouterr().err
    assert err.startswith("unrolled: ")
    assert said in err
    assert "body" not in err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["serve", "--port"], ["serve", "--port", "x"],
                                       ["serve", "--port", "99999"], ["analyze", "--k"]])  # fmt: skip
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert capsys.readouterr().err


def test_certify_shows_every_block(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("certify", *SMALL, "--k", "4") == 0
    out = capsys.readouterr().out
    assert all(block in out for block in ("l0.W_ih", "l0.W_hh", "l0.b", "W_hy", "b_y", "initial state"))
    assert out.count("passed") == 2


@pytest.mark.parametrize("command", ["certify", "analyze"])
def test_a_certificate_that_fails_is_1(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    certify, analyze = engine.certify, engine.analyze
    failed = [replace(one, status="failed") for one in certify(engine.parse(QUERY))]
    monkeypatch.setattr(engine, "certify", lambda *_, **__: tuple(failed))
    monkeypatch.setattr(engine, "analyze", lambda *a, **k: replace(analyze(*a, **k), certificate=failed[0]))
    assert run(command, *SMALL) == 1
    assert capsys.readouterr().out


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"unrolled {RELEASE}\n"


def test_a_broken_pipe_is_silent() -> None:
    command = [sys.executable, "-m", "server.cli", "analyze", *SMALL, "--json", "--include", "credit,gradients,weights"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_the_cost_is_said_without_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["analyze", "--steps", "2000", "--hidden", "64", "--estimate"]) == 0
    assert re.fullmatch(r"Needs about \d+ MiB of memory and \d+\.\d s\.\n", capsys.readouterr().out)
