"""Other frameworks' conventions over HTTP and in the command: weights and states in, weights and gradients out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

import engine
from engine.weights.naming import normal
from server import cli, conventions
from server.queries import Query
from tests.engine.peer_answers import PINNED, Answer, load
from tests.engine.setups import relative

ANALYSIS = "/api/v1/analysis"
ANSWERS = [load(path) for path in sorted(PINNED.glob("*.json"))]
LIVE = [answer for answer in ANSWERS if answer.gradients]
PLACES = [(name, key) for name, convention in engine.CONVENTIONS.items() for key in convention.forms]
IDS = [f"{name}-{cell}{'' if after else '-reset-before'}" for name, (cell, after) in PLACES]


def config_of(answer: Answer) -> dict[str, Any]:
    """Returns the config of another library's run: squared errors of the outputs at every step."""
    T, B, _ = answer.inputs.shape
    return {"cell": answer.cell, "reset_after": answer.reset_after, "hidden": answer.outputs.shape[2], "steps": T,
            "batch": B, "task": "series", "style": "full"}


def posted(answer: Answer) -> dict[str, Any]:
    arrays = {name: value.tolist() for name, value in answer.weights.items()}
    states = {name: value.tolist() for name, value in answer.states.items()}
    return {"config": config_of(answer), "convention": answer.convention, "include": ["gradients", "weights"],
            "weights": arrays, "initial_state": states, "inputs": answer.inputs.tolist(),
            "targets": answer.targets.tolist()}


@pytest.mark.parametrize("answer", LIVE, ids=lambda answer: answer.name)
def test_a_librarys_own_weights_give_its_own_loss_and_gradients(client: TestClient, answer: Answer) -> None:
    response = client.post(ANALYSIS, json=posted(answer))
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["convention"] == answer.convention
    assert found["loss"]["total"] == pytest.approx(answer.loss, rel=1e-12)
    assert found["certificate"]["status"] == "passed"
    theirs = {normal(name): value for name, value in (answer.gradients or {}).items()}
    ours = {normal(name): np.array(value) for name, value in found["gradients"].items()}
    assert len(ours) == len(theirs)
    for name, gradient in ours.items():
        own = [each for each in theirs if each.endswith(name) or name.endswith(each)]
        matched = own or [each for each in theirs if each.rpartition("/")[2] == name.rpartition("/")[2]]
        assert any(theirs[each].shape == gradient.shape and relative(gradient, theirs[each]) < 1e-12
                   for each in matched), name


@pytest.mark.parametrize(("name", "key"), PLACES, ids=IDS)
def test_what_an_answer_includes_can_be_posted_again(client: TestClient, name: str, key: tuple[str, bool]) -> None:
    config = {"cell": key[0], "reset_after": key[1], "hidden": 4, "layers": 2, "steps": 8, "batch": 2, "k": 3}
    query = config | {"reset_after": str(key[1]).lower(), "convention": name, "include": "weights,gradients"}
    first = client.get(ANALYSIS, params=query).json()
    body = {"config": config, "convention": name, "include": ["weights", "gradients"], "weights": first["weights"]}
    again = client.post(ANALYSIS, json=body).json()
    assert again["convention"] == first["convention"] == name
    assert list(again["gradients"]) == list(first["gradients"]) == list(first["weights"])
    assert again["loss"]["total"] == pytest.approx(first["loss"]["total"], rel=1e-13)
    for field in ("gradients", "gradients_full", "weights"):
        for tensor, value in first[field].items():
            np.testing.assert_allclose(again[field][tensor], value, rtol=1e-9, atol=1e-14)


def test_other_gates_order_is_another_gradient(client: TestClient) -> None:
    """The convention is applied, not merely echoed: the same numbers in ONNX's order are another network."""
    answer = next(answer for answer in LIVE if answer.name == "torch-lstm")
    right = client.post(ANALYSIS, json=posted(answer)).json()
    blocks = engine.import_weights(answer.convention, "lstm", answer.weights)
    order = np.r_[0:3, 9:12, 3:6, 6:9]  # i, o, f, g for i, f, g, o
    wrong = {name: block[order] if name.startswith("l0") else block for name, block in blocks.items()}
    body = posted(answer) | {"convention": "native", "initial_state": None,
                             "weights": {name: block.tolist() for name, block in wrong.items()}}
    assert abs(client.post(ANALYSIS, json=body).json()["loss"]["total"] / right["loss"]["total"] - 1) > 0.01


def test_every_form_of_an_answer_is_in_the_convention(client: TestClient) -> None:
    params = {"cell": "gru", "hidden": 3, "steps": 6, "batch": 1, "include": "weights", "convention": "pytorch"}
    response = client.get(ANALYSIS, params=params, headers={"accept": "application/x-npz"})
    assert b"weights.weight_ih_l0.npy" in response.content
    assert b"weights.l0.W_ih.npy" not in response.content


def test_the_convention_is_part_of_the_address(client: TestClient) -> None:
    tags = {client.get(ANALYSIS, params={"hidden": 3, "steps": 6, "convention": name}).headers["etag"]
            for name in ("native", "pytorch", "onnx")}
    assert len(tags) == 3


def test_tensorflow_1s_forget_bias_is_the_configs(client: TestClient) -> None:
    params = {"hidden": 3, "steps": 6, "batch": 1, "include": "weights", "forget_bias": "0.25"}
    native = client.get(ANALYSIS, params=params).json()["weights"]["l0.b"]
    stored = client.get(ANALYSIS, params=params | {"convention": "tensorflow1"}).json()["weights"]
    bias = stored["rnn/basic_lstm_cell/bias"]
    np.testing.assert_allclose(bias[6:9], np.array(native[3:6]) - 0.25, atol=1e-15)


def test_an_exploded_gradient_keeps_its_infinities(client: TestClient) -> None:
    params = {"cell": "rnn", "hidden": 4, "steps": 8, "batch": 1, "include": "gradients", "certificate": "false"}
    found = engine.analyze(engine.parse({"cell": "rnn", "hidden": 4, "steps": 8, "batch": 1}),
                           include=frozenset({"gradients"}), certify=False)
    assert found.gradients is not None
    found.gradients["l0.W_hh"] = np.full((4, 4), -np.inf)
    query = Query("analysis", engine.parse({"cell": "rnn", "hidden": 4, "steps": 8, "batch": 1}), convention="keras")
    said = conventions.answered(query, found)["gradients"]["simple_rnn/simple_rnn_cell/recurrent_kernel"]
    assert np.isneginf(said).all()
    assert client.get(ANALYSIS, params=params | {"convention": "keras"}).status_code == 200


@pytest.mark.parametrize(("name", "factor"), [("sum_time_mean_batch", 1.0), ("mean", 1 / 12), ("sum", 2.0),
                                              ("mean_time_sum_batch", 2 / 12)])
def test_a_reduction_is_answered_by_its_factor(client: TestClient, name: str, factor: float) -> None:
    params = {"steps": 12, "hidden": 3, "batch": 2, "reduction": name}
    found = client.get(ANALYSIS, params=params).json()
    assert (found["reduction"], found["reduction_factor"]) == (name, pytest.approx(factor))
    plain = client.get(ANALYSIS, params={"steps": 12, "hidden": 3, "batch": 2}).json()
    assert found["loss"] == plain["loss"]


def test_the_certificate_takes_a_convention(client: TestClient) -> None:
    body = posted(LIVE[0])
    del body["include"]
    assert client.post("/api/v1/certificate", json=body).json()["certificate"]["status"] == "passed"


def test_the_catalogue_is_the_engines(client: TestClient) -> None:
    found = {entry["name"]: entry for entry in client.get("/api/v1/conventions").json()}
    assert list(found) == list(engine.CONVENTIONS)
    lstm = next(cell for cell in found["onnx"]["cells"] if cell["cell"] == "lstm")
    assert lstm["tensors"][0] == {"name": "W", "gates": "iofg", "axes": "1, 4*hidden, inputs"}
    assert found["haiku"]["cells"][1]["flipped"] == "z"
    assert all(entry["title"] and entry["note"] and entry["cells"] for entry in found.values())


def test_the_factors_of_the_reductions_are_the_engines(client: TestClient) -> None:
    found = client.get("/api/v1/reductions").json()
    assert [entry["name"] for entry in found] == list(engine.REDUCTIONS)
    for entry in found:
        factor = eval(entry["factor"], {"__builtins__": {}}, {"N": 7, "B": 3})
        assert factor == engine.reduction_factor(entry["name"], 7, 3)


PYTORCH = next(answer for answer in LIVE if answer.name == "torch-lstm")
W_HH = next(name for name in PYTORCH.weights if "weight_hh" in name)


def changed(**changes: Any) -> dict[str, Any]:
    return posted(PYTORCH) | changes


def weights(**changes: Any) -> dict[str, Any]:
    kept = {name: value.tolist() for name, value in PYTORCH.weights.items()} | changes
    return {name: value for name, value in kept.items() if value is not None}


@pytest.mark.parametrize(("body", "field", "said"), [
    (changed(convention="pytorhc"), "convention", "Did you mean pytorch?"),
    (changed(convention="PyTorch"), "convention", "Did you mean pytorch?"),
    (changed(convention="theano"), "convention", "tensorflow1"),
    (changed(convention=3), "convention", "string"),
    (changed(reduction="means"), "reduction", "Did you mean mean?"),
    (changed(convention="onnx"), "weights", "are the weights of PyTorch's lstm"),
    (changed(config=config_of(PYTORCH) | {"cell": "gru"}), "weights", "are the weights of PyTorch's lstm"),
    (changed(config=config_of(PYTORCH) | {"hidden": 4}), "weights.", "must have shape (4*hidden, inputs) = (16, 2)"),
    (changed(config=config_of(PYTORCH) | {"layers": 2}), "weights", "Set layers to 1."),
    (changed(weights=weights(**{W_HH: None})), "weights", "missing"),
    (changed(weights=weights(**{W_HH: [[1.0]]})), "weights.", "must have shape (4*hidden, hidden) = (12, 3)"),
    (changed(weights=weights(**{W_HH: [[1.0], []]})), "weights.", "ragged"),
    (changed(weights=weights(weigth=[[1.0]])), "weights.weigth", "is no tensor of PyTorch's lstm"),
    (changed(weights={}), "weights", "0 tensors"),
    (changed(initial_state={"h_0": [[[0.0] * 3] * 2]}), "initial_state.c_0", "missing"),
    (changed(initial_state={"h": [[0.0]]}), "initial_state.h", "is no state of PyTorch's lstm"),
    (changed(config={"cell": "rnn"}, convention="haiku", weights=None), "cell", "ReLU"),
    (changed(config={"cell": "gru", "reset_after": False}), "reset_after", "Set reset_after to true"),
])  # fmt: skip
def test_what_does_not_fit_is_a_problem(client: TestClient, body: dict[str, Any], field: str, said: str) -> None:
    response = client.post(ANALYSIS, json=body)
    assert response.status_code == 422, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    problems = response.json()["problems"]
    assert any(problem["field"].startswith(field) for problem in problems)
    assert said in json.dumps(problems, ensure_ascii=False)
    assert len(response.content) < 8192


@pytest.mark.parametrize("query", ["convention=pytorhc", "cell=rnn&convention=haiku&include=weights",
                                   "cell=gru&reset_after=false&convention=pytorch", "reduction=average"])
def test_a_query_that_does_not_fit(client: TestClient, query: str) -> None:
    response = client.get(f"{ANALYSIS}?steps=6&{query}")
    assert response.status_code == 422
    assert response.json()["problems"][0]["remedy"]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """PyTorch's weights in both kinds of file, and its states."""
    found = {}
    for ending in (".npz", ".safetensors"):
        found[ending] = tmp_path / f"weights{ending}"
        found[ending].write_bytes(engine.write_arrays(PYTORCH.weights, f"x{ending}"))
    found["states"] = tmp_path / "states.npz"
    found["states"].write_bytes(engine.write_arrays(PYTORCH.states, "x.npz"))
    found["config"] = tmp_path / "config.json"
    data = {"inputs": PYTORCH.inputs.tolist(), "targets": PYTORCH.targets.tolist()}
    config = {name: value for name, value in config_of(PYTORCH).items() if name != "hidden"}
    found["config"].write_text(json.dumps(data | {"config": config}))
    return found


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_the_command_reads_files(files: dict[str, Path], ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["analyze", "--config", str(files["config"]), "--weights", str(files[ending]), "--initial-state",
                     str(files["states"]), "--convention", "pytorch", "--include", "gradients", "--reduction", "mean",
                     "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert (found["config"]["hidden"], found["convention"], found["reduction"]) == (3, "pytorch", "mean")
    assert found["loss"]["total"] == pytest.approx(PYTORCH.loss, rel=1e-12)
    assert relative(found["gradients"]["weight_hh_l0"], (PYTORCH.gradients or {})[W_HH]) < 1e-12


def test_certify_reads_files_too(files: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["certify", "--config", str(files["config"]), "--weights", str(files[".npz"]),
                     "--convention", "pytorch"])
    assert code == 0
    assert "passed" in capsys.readouterr().out


@pytest.mark.parametrize(("more", "said"), [
    (["--convention", "pytorhc"], "Did you mean pytorch?"),
    (["--convention", "keras"], "are the weights of PyTorch's lstm"),
    (["--convention", "pytorch", "--cell", "gru"], "Set convention = pytorch, cell = lstm"),
    (["--convention", "pytorch", "--hidden", "9"], "(36, 2)"),
    (["--convention", "pytorch", "--layers", "2"], "Set layers to 1."),
    (["--convention", "pytorch", "--initial-state", "no.npz"], "No such file"),
    (["--conventoin", "pytorch"], "Did you mean --convention?"),
])  # fmt: skip
def test_what_does_not_fit_in_the_command(
    files: dict[str, Path], more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["analyze", "--config", str(files["config"]), "--weights", str(files[".npz"]), *more])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err
