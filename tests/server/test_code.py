"""The code beside the picture: its route, its texts, and NumPy's programs run alone and held against the engine."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from engine import OPTION, Config, InputError, parse
from engine.experiment import prepare
from engine.tasks import TASKS
from engine.truncation import dead_edges, plan_of, reach
from server.code import FRAMEWORKS, MARK, facts, program, read_checked
from tests.peers.code_runs import SPREAD, TOLERANCE, digest, run

CUTS = {"detach()": "pytorch", "stop_gradient": "jax", "numpy_state": "tensorflow1", "detach(state)": "keras"}


@pytest.mark.parametrize("name", SPREAD)
def test_numpys_program_prints_the_engines_numbers(name: str, tmp_path: Path) -> None:
    assert run("numpy", name, tmp_path).worst < TOLERANCE


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_was_checked_is_this_text(framework: str) -> None:
    """If this fails, a program has changed: python -m tests.peers.code_runs runs it and writes down the outcome."""
    checked = read_checked()[framework]
    assert checked.digest == digest(framework)
    assert checked.worst < TOLERANCE
    assert checked.configs == len(SPREAD)


def test_programs_are_clean_and_of_a_readable_size(tmp_path: Path) -> None:
    for framework in FRAMEWORKS:
        for number, options in enumerate(SPREAD.values()):
            text = program(framework, parse(options)).text
            assert text.count("\n") <= 125
            assert max(map(len, text.splitlines())) <= 250  # the address; the linter sees to the others
            (tmp_path / f"{framework}_{number}.py").write_text(text, encoding="utf-8")
    linter = [sys.executable, "-m", "ruff", "check", "--isolated", "--quiet", "--line-length=120",
              "--select=E,F,W", "--ignore=E402,E741,E501", "."]
    done = subprocess.run(linter, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("name", SPREAD)
def test_cut_lines_are_marked_where_the_plan_cuts(framework: str, name: str) -> None:
    config = parse(SPREAD[name])
    written = program(framework, config)
    lines = written.text.splitlines()
    assert all(MARK in lines[number - 1] and not lines[number - 1].startswith("The") for number in written.cut_lines)
    cuts = dead_edges(reach(plan_of(config))).any()
    assert bool(written.cut_lines) or not cuts
    if config.style == "full" or (config.gradient == "pass" and config.value == "carry"):
        assert not written.cut_lines
        assert MARK not in written.text


@pytest.mark.parametrize(("words", "framework"), CUTS.items())
def test_the_line_that_cuts_is_the_one_people_know(words: str, framework: str) -> None:
    written = program(framework, Config())
    assert [words in written.text.splitlines()[number - 1] for number in written.cut_lines] == [True]


@pytest.mark.parametrize("name", SPREAD)
def test_the_address_in_a_program_leads_to_its_own_config(name: str) -> None:
    config = parse(SPREAD[name])
    query = dict(parse_qsl(urlsplit(facts.address_of(config)).query))
    assert query.pop("include") == "weights,inputs"
    assert query.pop("certificate") == "false"
    assert parse(query) == config


@pytest.mark.parametrize("text", [
    "'; rm -rf ~; '" + "x" * 80, '"""\nimport os\n' * 8, "\\" * 90, "{{ 7 * 7 }}%0a\r\n" * 9])
def test_a_text_cannot_leave_the_comment(text: str) -> None:
    for framework in FRAMEWORKS:
        tree = ast.parse(program(framework, parse({"text": text})).text)
        assert ast.dump(tree.body[1]) == ast.dump(ast.parse(program(framework, Config()).text).body[1])
        address = facts.address_of(parse({"text": text}))
        assert address in program(framework, parse({"text": text})).text
        assert not set(address) & set("'\"\\ \n\r{}")


def test_the_spread_has_every_style_cell_and_task() -> None:
    configs = [parse(options) for options in SPREAD.values()]
    for name in ("style", "cell", "task", "value", "gradient", "loss_at"):
        assert {getattr(config, name) for config in configs} == set(OPTION[name].choices or ())


def test_programs_know_what_each_task_reads() -> None:
    assert set(facts.SYMBOLS + facts.VALUES) == set(TASKS)
    for task in TASKS:
        network = prepare(Config(task=task, lag=4)).network
        assert network.classify == (task in facts.SYMBOLS)


def test_a_style_without_a_program_is_refused() -> None:
    with pytest.raises(InputError, match="no program") as refused:
        facts.facts_of(Config(style="unheard-of"))
    assert refused.value.problems[0].field == "style"


def test_the_route_gives_the_text(client: TestClient) -> None:
    response = client.get("/api/v1/code/pytorch?style=sliding&k=7")
    assert response.headers["content-type"] == "text/x-python; charset=utf-8"
    assert response.text == program("pytorch", parse({"style": "sliding", "k": "7"})).text


def test_the_route_gives_json_with_the_lines_that_cut(client: TestClient) -> None:
    response = client.get("/api/v1/code/tensorflow1?k=5", headers={"accept": "application/json"})
    found = response.json()
    written = program("tensorflow1", parse({"k": "5"}))
    assert (found["program"], found["cut_lines"]) == (written.text, list(written.cut_lines))
    assert found["language"] == "python"
    assert {"package", "version"} == set(found["checked_with"][0])
    assert found["checked"].startswith("Not run on TensorFlow 1 itself")
    again = client.get("/api/v1/code/tensorflow1?k=5",
                       headers={"accept": "application/json", "if-none-match": response.headers["etag"]})
    assert again.status_code == 304


def test_the_frameworks_are_listed(client: TestClient) -> None:
    assert [entry["name"] for entry in client.get("/api/v1/code").json()] == list(FRAMEWORKS)


@pytest.mark.parametrize(("address", "status", "words"), [
    ("/api/v1/code/pytorh", 404, "Did you mean pytorch?"),
    ("/api/v1/code/caffe", 404, "pytorch, keras, jax, tensorflow1, numpy"),
    ("/api/v1/code/jax?k=0", 422, "must be from 1"),
    ("/api/v1/code/jax?include=weights", 422, "unknown name"),
])
def test_what_cannot_be_written_is_a_problem(client: TestClient, address: str, status: int, words: str) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert words in response.text
