"""What another library answered to a random problem, and how the engine compares: for live runs and pinned ones."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from engine.backprop import Gradients, backprop
from engine.cells import CELLS
from engine.network import Network
from engine.truncation import full_plan
from engine.unroll import Data, Tape, unroll
from engine.weights import export_gradients, export_states, import_gradients, import_states, import_weights
from engine.weights.naming import natural, normal
from tests.engine.setups import relative

PINNED = Path(__file__).resolve().parent.parent / "data/peers"
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Sizes:
    """Axis letters as everywhere."""

    T: int = 7
    B: int = 3
    D: int = 4
    H: int = 5
    O: int = 2  # noqa: E741
    layers: int = 2


SMALL = Sizes(T=4, B=2, D=2, H=3, O=1, layers=1)


@dataclass(frozen=True)
class Answer:
    """A library's run from given weights and states, all by the library's own names and in its own layout.

    The loss is half the squared error of the readout, summed over outputs and steps, mean over the batch. `outputs`
    are the top layer's h (T, B, H). A library without derivatives has no loss and no gradients."""

    library: str
    version: str
    convention: str
    cell: str
    reset_after: bool
    inputs: np.ndarray  # (T, B, D)
    targets: np.ndarray  # (T, B, O)
    weights: Arrays
    states: Arrays
    outputs: np.ndarray
    loss: float | None = None
    gradients: Arrays | None = None
    state_gradients: Arrays | None = None

    @property
    def name(self) -> str:
        return f"{self.library}-{self.cell}{'' if self.reset_after else '-reset-before'}"


def numbers(seed: int, shapes: Mapping[str, tuple[int, ...]], scale: float = 0.7) -> Arrays:
    """Returns random arrays: with constant ones a wrong order of gates would pass."""
    rng = np.random.default_rng(seed)
    return {name: scale * rng.normal(size=shapes[name]) for name in sorted(shapes)}


def data(seed: int, z: Sizes) -> tuple[np.ndarray, np.ndarray]:
    """Returns inputs (T, B, D) and targets (T, B, O)."""
    rng = np.random.default_rng(1000 + seed)
    return rng.normal(size=(z.T, z.B, z.D)), rng.normal(size=(z.T, z.B, z.O))


@dataclass(frozen=True)
class Run:
    """The engine's run of an answer's problem."""

    network: Network
    tape: Tape
    gradients: Gradients

    @property
    def outputs(self) -> np.ndarray:
        return np.swapaxes(self.tape.layers[-1].states[:, : self.network.hidden], 1, 2)

    @property
    def loss(self) -> float:
        return float(self.tape.losses.sum(axis=0).mean())

    @property
    def initial(self) -> Arrays:
        """Gradients of the initial states by the engine's names, (B, H)."""
        H, parts = self.network.hidden, ("h", "c")[: self.network.cell.parts]
        return {f"l{layer}.{part}": rows[n * H : (n + 1) * H].T
                for layer, rows in enumerate(self.gradients.initial) for n, part in enumerate(parts)}


def blocks_of(answer: Answer, **options: float) -> Arrays:
    return import_weights(answer.convention, answer.cell, answer.weights, answer.outputs.shape[2],
                          reset_after=answer.reset_after, **options)


def run(answer: Answer, blocks: Mapping[str, np.ndarray]) -> Run:
    """Returns what the engine makes of these blocks, on the answer's data and states."""
    T, _, D = answer.inputs.shape
    H, layers = answer.outputs.shape[2], sum(name.endswith("W_hh") for name in blocks)
    key = (answer.cell, answer.reset_after)
    network = Network(CELLS[key], layers, D, H, answer.targets.shape[2], 0, False)
    states = import_states(answer.convention, answer.cell, answer.states, H, reset_after=answer.reset_after)
    initial = tuple(np.concatenate([states[f"l{layer}.{part}"].T for part in ("h", "c")[: network.cell.parts]])
                    for layer in range(layers))
    readout = {"W_hy": np.zeros((answer.targets.shape[2], H)), "b_y": np.zeros(answer.targets.shape[2])}
    params = {**readout, **blocks}
    tape = unroll(network, params, Data(np.swapaxes(answer.inputs, 1, 2), np.swapaxes(answer.targets, 1, 2),
                                        np.ones(T, bool), initial), np.zeros(T, bool))
    return Run(network, tape, backprop(network, params, tape, full_plan(T)))


def errors(answer: Answer, **options: float) -> dict[str, float]:
    """Returns the relative error of each thing that both computed: outputs, loss, and the gradients both ways.

    `options` go to the import of the weights."""
    ours = run(answer, blocks_of(answer, **options))
    out = {"outputs": relative(ours.outputs, answer.outputs)}
    if answer.gradients is None or answer.state_gradients is None or answer.loss is None:
        return out
    which = (answer.convention, answer.cell)
    after = answer.reset_after
    out["loss"] = abs(ours.loss - answer.loss) / abs(answer.loss)
    theirs = import_gradients(*which, answer.gradients, reset_after=after)
    out |= {f"imported {name}": relative(ours.gradients.blocks[name], theirs[name]) for name in theirs}
    exported = _by_own_names(export_gradients(*which, ours.gradients.blocks, reset_after=after), answer.gradients)
    out |= {f"exported {name}": relative(exported[name], answer.gradients[name]) for name in answer.gradients}
    states = import_states(*which, answer.state_gradients, reset_after=after)
    out |= {f"imported d{name}": relative(ours.initial[name], states[name]) for name in states}
    own = _by_own_names(export_states(*which, ours.initial, reset_after=after), answer.state_gradients)
    return out | {f"exported d{name}": relative(own[name], answer.state_gradients[name]) for name in own}


def _by_own_names(exported: Arrays, live: Arrays) -> Arrays:
    """Returns the exported tensors under the library's names, which may have more before ours. States have no names
    in most libraries: those of a kind are in the order of the layers."""
    assert len(exported) == len(live), f"{list(exported)} beside {list(live)}"
    own = {normal(name): name for name in live}
    ours = {normal(name): array for name, array in exported.items()}
    out = {}
    for name, array in ours.items():
        hits = [name] if name in own else [each for each in own if each.endswith(f"/{name}")]
        if not hits:
            kind = sorted((each for each in own if _leaf(each) == _leaf(name)), key=natural)
            hits = [kind[sorted((each for each in ours if _leaf(each) == _leaf(name)), key=natural).index(name)]]
        assert len(hits) == 1, f"{name}: {hits} of {list(live)}"
        out[own[hits[0]]] = array
    assert len(out) == len(live)
    return out


def _leaf(name: str) -> str:
    return name.rpartition("/")[2]


def wrong(answer: Answer) -> Iterator[tuple[str, float]]:
    """Yields misreadings of the same tensors, each with the relative error of its outputs, which must be large:
    every other order of the gates, and W_hh transposed."""
    blocks = blocks_of(answer)
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[answer.cell]
    for order in itertools.permutations(range(gates)):
        if order != tuple(range(gates)):
            yield f"gates {order}", _error(answer, {name: _reordered(name, block, order)
                                                    for name, block in blocks.items()})
    yield "W_hh transposed", _error(answer, {name: _transposed(block) if name.endswith("W_hh") else block
                                             for name, block in blocks.items()})


def _error(answer: Answer, blocks: Arrays) -> float:
    return relative(run(answer, blocks).outputs, answer.outputs)


def _reordered(name: str, block: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    if name.split(".")[-1] not in ("W_ih", "W_hh", "b"):
        return block
    parts = np.split(block, len(order))
    return np.concatenate([parts[gate] for gate in order])


def _transposed(W_hh: np.ndarray) -> np.ndarray:
    H = W_hh.shape[1]
    return W_hh.reshape(-1, H, H).swapaxes(1, 2).reshape(-1, H)


def save(answer: Answer) -> Path:
    """Writes a pinned answer; a number is written so that it reads back the same."""
    path = PINNED / f"{answer.name}.json"
    plain = {name: _listed(value) for name, value in asdict(answer).items()}
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in plain.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    return path


def load(path: Path) -> Answer:
    """Returns a pinned answer."""
    given = json.loads(path.read_text(encoding="utf-8"))
    arrays = {name: {own: np.array(value) for own, value in given[name].items()}
              for name in ("weights", "states", "gradients", "state_gradients") if given[name] is not None}
    plain = {name: np.array(given[name]) for name in ("inputs", "targets", "outputs")}
    return replace(Answer(**{**given, **plain}), **arrays)


def _listed(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return {name: _listed(inner) for name, inner in value.items()} if isinstance(value, dict) else value
