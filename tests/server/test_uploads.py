"""Files of weights over HTTP: read by name, in a compute process, and never unpickled."""

from __future__ import annotations

import pickle
from asyncio import Semaphore
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import engine
from server import cli
from server.settings import Settings
from server.uploads import MOST_NUMBERS, ending
from tests.engine.false_files import FALSE_NPZ, FALSE_SAFETENSORS, archive, npy, npz
from tests.engine.peer_answers import PINNED, load

WEIGHTS = "/api/v1/weights"
NPZ, SAFETENSORS, ANY = "application/x-npz", "application/vnd.safetensors", "application/octet-stream"
PYTORCH = load(PINNED / "torch-lstm.json")
KERAS = load(PINNED / "keras-gru-reset-before.json")
FALSE = [("npz", name, *case) for name, case in FALSE_NPZ.items()]
FALSE += [("safetensors", name, *case) for name, case in FALSE_SAFETENSORS.items()]


def file_of(answer: Any, kind: str) -> bytes:
    return engine.write_arrays(answer.weights, f"x.{kind}")


def send(client: TestClient, body: bytes, media: str = ANY, query: str = "convention=pytorch&cell=lstm") -> Any:
    return client.post(f"{WEIGHTS}?{query}", content=body, headers={"content-type": media})


def refused(response: Any, status: int = 422) -> str:
    """Returns what is said of a file that is refused, after what holds for every refusal."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()["problems"]
    assert all(all(problem[part] for part in ("field", "value", "limit", "remedy")) for problem in found)
    assert "Traceback" not in response.text
    assert len(response.content) < 8192
    return " ".join(" ".join(problem.values()) for problem in found)


@pytest.mark.parametrize(("kind", "media"), [("npz", NPZ), ("npz", ANY), ("safetensors", SAFETENSORS),
                                             ("safetensors", ANY)])  # fmt: skip
def test_a_file_is_answered_as_blocks_that_can_be_posted(client: TestClient, kind: str, media: str) -> None:
    found = send(client, file_of(PYTORCH, kind), media).json()
    truth = engine.import_weights("pytorch", "lstm", PYTORCH.weights)
    assert list(found["weights"]) == list(truth)
    assert all(np.array_equal(found["weights"][name], block) for name, block in truth.items())
    assert found["shapes"] == {name: list(block.shape) for name, block in truth.items()}
    assert (found["convention"], found["config"]) == ("native", {"cell": "lstm", "hidden": 3, "layers": 1})
    T, B, _ = PYTORCH.inputs.shape
    states = engine.import_states("pytorch", "lstm", PYTORCH.states)
    body = {"config": found["config"] | {"task": "series", "steps": T, "batch": B, "style": "full"},
            "weights": found["weights"], "inputs": PYTORCH.inputs.tolist(), "targets": PYTORCH.targets.tolist(),
            "initial_state": {name: state.tolist() for name, state in states.items()}}
    analysis = client.post("/api/v1/analysis", json=body).json()
    assert analysis["loss"]["total"] == pytest.approx(PYTORCH.loss, rel=1e-12)


def test_where_the_reset_gate_stands_is_said_in_the_address(client: TestClient) -> None:
    found = send(client, file_of(KERAS, "npz"), NPZ, "convention=keras&cell=gru&reset_after=false").json()
    assert found["config"] == {"cell": "gru", "reset_after": False, "hidden": 3, "layers": 1}


def test_what_tensorflow_1_adds_is_said_in_the_address(client: TestClient) -> None:
    file = file_of(load(PINNED / "tensorflow-lstm.json"), "safetensors")
    b = [np.array(send(client, file, ANY, f"convention=tensorflow1&forget_bias={bias}").json()["weights"]["l0.b"])
         for bias in ("0", "1", "2")]
    assert np.allclose(b[2] - b[1], b[1] - b[0])
    assert np.allclose((b[1] - b[0])[3:6], 1)
    assert np.allclose(np.delete(b[1] - b[0], [3, 4, 5]), 0)


@pytest.mark.parametrize(("kind", "name", "body", "said"), FALSE, ids=[f"{kind}: {name}" for kind, name, *_ in FALSE])
def test_a_file_that_is_not_what_it_says(client: TestClient, kind: str, name: str, body: bytes, said: str) -> None:
    assert said in refused(send(client, body, NPZ if kind == "npz" else SAFETENSORS))


@pytest.mark.parametrize(("body", "said"), [
    (pickle.dumps({"weight_ih_l0": [1.0]}), "may hold a pickle"),
    (archive({"archive/data.pkl": pickle.dumps([1.0]), "archive/version": b"3"}), "names have"),
    (npz(weight_ih_l0=np.array([{}], dtype=object)), "a pickle"),
    (b"not a file of weights at all", "must have at most"),
], ids=["a pickle", "a .pt file", "an npz of objects", "text"])  # fmt: skip
def test_bytes_without_a_type(client: TestClient, body: bytes, said: str) -> None:
    assert said in refused(send(client, body))


def test_a_pickle_is_not_run(client: TestClient, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    class Mischief:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (mark,)

    harm = pickle.dumps(Mischief())
    for body in (harm, archive({"a.npy": harm}), npz(a=np.array([Mischief()], dtype=object))):
        for media in (NPZ, SAFETENSORS, ANY):
            refused(send(client, body, media))
    assert not mark.exists()


@pytest.mark.parametrize(("query", "said"), [
    ("convention=pytorhc", "Did you mean pytorch?"),
    ("convention=pytorch&cell=gru", "are the weights of PyTorch's lstm"),
    ("convention=keras&cell=lstm", "Set convention = pytorch, cell = lstm"), ("convention=haiku&cell=rnn", "ReLU"),
    ("convention=pytorch&cell=lstn", "lstm"), ("convnetion=pytorch", "Did you mean convention?"),
    ("convention=pytorch&convention=keras", "may be given once"), ("hidden=3", "unknown name"),
])  # fmt: skip
def test_an_address_that_does_not_fit(client: TestClient, query: str, said: str) -> None:
    assert said in refused(send(client, file_of(PYTORCH, "npz"), NPZ, query))


@pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_files_are_taken(client: TestClient, media: str) -> None:
    assert SAFETENSORS in refused(send(client, b"x", media), 415)


def test_too_large_a_file_is_refused(client: TestClient) -> None:
    most = Settings().upload_bytes
    assert client.get("/api/v1/limits").json()["upload_bytes"]["value"] == most == 8 * 2**20
    assert f"at most {most} bytes" in refused(send(client, b"\0" * (most + 1)), 413)
    refused(send(client, b"\0" * most))


def test_many_numbers_in_few_bytes_are_refused(client: TestClient) -> None:
    large = np.ones(MOST_NUMBERS + 1, dtype="i1")
    assert "unrolled analyze --weights" in refused(send(client, npz(a=large), NPZ))


def test_more_layers_than_there_can_be(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    blocks = {f"l{n}.{name}": rng.normal(size=shape) for n in range(4)
              for name, shape in (("W_ih", (2, 2)), ("W_hh", (2, 2)), ("b", (2,)))}
    assert "layers" in refused(send(client, engine.write_arrays(blocks, "x.npz"), NPZ, "cell=rnn"))


def test_only_so_many_files_are_held_at_the_same_time(client: TestClient, app: FastAPI) -> None:
    full = replace(app.state.services, uploads=Semaphore(0))
    kept, app.state.services = app.state.services, full
    try:
        response = send(client, file_of(PYTORCH, "npz"))
    finally:
        app.state.services = kept
    assert "no more are taken" in refused(response, 503)
    assert int(response.headers["retry-after"]) >= 1
    assert send(client, file_of(PYTORCH, "npz")).status_code == 200


def test_the_first_bytes_tell_the_kind() -> None:
    assert ending(file_of(PYTORCH, "npz")) == ".npz"
    assert ending(file_of(PYTORCH, "safetensors")) == ".safetensors"
    header = b'{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}'.ljust(0x280)
    assert ending(len(header).to_bytes(8, "little") + header) == ".safetensors"
    assert ending(pickle.dumps(1)) == ".pickle"


@pytest.mark.parametrize(("name", "content", "said"), [
    ("w.npz", FALSE_NPZ["objects"][0], "a pickle"), ("w.npz", FALSE_NPZ["a pickle in a member"][0], "a pickle"),
    ("w.safetensors", FALSE_SAFETENSORS["past the end"][0], "inside the file"),
    ("w.safetensors", FALSE_SAFETENSORS["half an object"][0], "no JSON"),
    ("w.npz", archive({"a.npy": npy(np.array([np.nan]))}), "not finite"), ("w.pt", b"PK", "may hold a pickle"),
    ("w.csv", b"1", "must end in .npz or .safetensors"), ("w.npz", b"", "zip archive"),
])  # fmt: skip
@pytest.mark.parametrize("flag", ["--weights", "--initial-state"])
def test_false_files_in_the_command(
    flag: str, name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert cli.main(["analyze", flag, str(tmp_path / name), "--convention", "pytorch"]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert err.startswith("unrolled: ")
    assert out == ""
