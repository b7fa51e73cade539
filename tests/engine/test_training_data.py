"""How data run: rows, passes, sequences, shuffled windows; and how the held-out part is read."""

from __future__ import annotations

import numpy as np
import pytest

from engine.backprop import backprop
from engine.network import Network
from engine.symbols import grouped, symbol_gradients, symbol_projection, tabled
from engine.tasks.text import default_text
from engine.training import Corpus, Lab, Lane, Strategy, corpus_of
from engine.training.pieces import LONGEST, Piece, mean_length, piece_at
from engine.training.streams import Streams, Stretch, rows
from engine.truncation import full_plan
from engine.unroll import Data, Tape, unroll

LAB = Lab(hidden=5, batch=4, tokens=2_000, dtype="float64", evaluations=2)
PLAIN = Strategy(k=7)


def streams(lab: Lab = LAB, strategy: Strategy = PLAIN, seed: int = 0) -> Streams:
    return Streams(lab, corpus_of(lab), seed, strategy)


def test_rows_are_contiguous_pieces_and_targets_the_next_symbols() -> None:
    found = rows(np.arange(23), 3, "float32")
    assert found.xs.T.tolist() == [list(range(7)), list(range(7, 14)), list(range(14, 21))]
    assert (found.targets == found.xs + 1).all()


def test_values_keep_their_columns() -> None:
    found = rows(np.arange(24.0).reshape(12, 2), 2, "float32")
    assert found.xs.shape == found.targets.shape == (5, 2, 2)
    assert found.xs.dtype == np.float32
    assert found.xs[:, :, 1].tolist() == [[10, 11], [12, 13], [14, 15], [16, 17], [18, 19]]
    assert (found.targets == found.xs + 2).all()


def test_characters_of_the_text_come_back() -> None:
    corpus, text = corpus_of(LAB), default_text()
    assert corpus.text(corpus.train) + corpus.text(corpus.held) == text
    assert corpus.vocabulary == tuple(sorted(set(text)))
    assert len(corpus.held) == int(len(text) * 0.1)


def test_words_that_are_not_kept_are_unknown() -> None:
    corpus = corpus_of(Lab(vocabulary="word", words=4, text="to be or not to be to see " * 4, held_out=0.25))
    assert corpus.vocabulary == ("<unk>", "to", "be", "not")
    assert corpus.train[:8].tolist() == [1, 2, 0, 3, 1, 2, 1, 0]


def test_series_are_standardised_by_what_is_trained_on() -> None:
    corpus = corpus_of(Lab(task="series", series=(tuple(range(100)), (3.0,) * 100), held_out=0.5))
    np.testing.assert_allclose(corpus.train[:, 0].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(corpus.train[:, 0].std(), 1)
    assert (corpus.train[:, 1] == 0).all()
    assert corpus.held[0, 0] > corpus.train[-1, 0]


def test_sequences_cut_a_pass_and_its_last_one_is_shorter() -> None:
    cut = streams(Lab(batch=4, steps=30, text="abcde" * 100))
    lengths = [cut.stretch(n).steps for n in range(cut.in_a_pass + 1)]
    assert lengths == [30, 30, 30, 22, 30]
    again = [cut.stretch(n).xs for n in range(cut.in_a_pass)]
    assert np.array_equal(np.concatenate(again), cut.whole.xs if cut.whole else None)


def test_made_sequences_differ_by_number_and_seed_and_repeat() -> None:
    lab = Lab(task="copy", lag=2, steps=9, batch=4)
    one, other = streams(lab), streams(lab, seed=1)
    assert np.array_equal(one.stretch(3).xs, streams(lab).stretch(3).xs)
    assert not np.array_equal(one.stretch(3).xs, one.stretch(4).xs)
    assert not np.array_equal(one.stretch(3).xs, other.stretch(3).xs)


def test_shuffled_windows_are_whole_and_all_there() -> None:
    plain, mixed = streams(), streams(strategy=Strategy(k=7, order="shuffled"))
    for number in (0, 1):
        a, b = plain.stretch(number), mixed.stretch(number)
        whole = a.steps // 7 * 7
        assert not np.array_equal(a.xs, b.xs)
        assert np.array_equal(a.xs[whole:], b.xs[whole:])
        windows = [sorted(x[:whole].reshape(-1, 7 * 4).tolist()) for x in (a.xs, b.xs)]
        assert windows[0] == windows[1]
        assert np.array_equal(b.xs[1:7], b.targets[:6])
    assert not np.array_equal(mixed.stretch(0).xs, mixed.stretch(1).xs)


@pytest.mark.parametrize("strategy", [
    PLAIN, Strategy("full"), Strategy("sliding", k=5), Strategy("k1k2", k1=3, k2=8), Strategy("random", p=0.2),
    Strategy("k1k2", k1=3, k2=8, value="reset"), Strategy("random", p=0)], ids=lambda s: s.name)
@pytest.mark.parametrize("steps", [1, 5, 53])
def test_pieces_cover_a_stretch_once(strategy: Strategy, steps: int) -> None:
    start, found = 0, []
    while start < steps:
        piece = piece_at(strategy, start, steps, (0, 0))
        found.append(piece)
        start = piece.end
    assert [p.start for p in found] == [0, *(p.end for p in found[:-1])]
    assert found[-1].end == steps
    assert all(0 <= p.first <= p.start < p.end for p in found)
    if strategy == Strategy("k1k2", k1=3, k2=8) and steps == 53:
        assert found[5] == Piece(10, 15, 18)
    if strategy.value == "reset":
        assert all(p.first == p.start for p in found)


def test_random_lengths_have_the_mean_that_the_loss_is_divided_by() -> None:
    lengths = [piece_at(Strategy("random", p=0.1), start, 10**6, (0, 0)).new for start in range(4_000)]
    assert np.mean(lengths) == pytest.approx(mean_length(0.1), rel=0.05)
    assert mean_length(0) == LONGEST == piece_at(Strategy("random", p=0), 0, 10**6, (0, 0)).new


def naive(network: Network, lane: Lane, stretch: Stretch, window: int) -> tuple[Tape, Data]:
    """Returns the tape of an analysis of a stretch, the state initial every `window` steps."""
    xs = np.swapaxes(np.eye(network.inputs)[stretch.xs], 1, 2) if stretch.xs.ndim == 2 else stretch.xs
    zero = tuple(np.zeros((network.state, xs.shape[2])) for _ in range(network.layers))
    data = Data(xs, stretch.targets, stretch.counts, zero)
    reset = np.arange(stretch.steps) % window == 0
    reset[0] = False
    return unroll(network, lane.weights(), data, reset), data


@pytest.mark.parametrize("options", [{}, {"task": "series"}, {"steps": 45}, {"task": "copy", "lag": 5, "steps": 40}],
                         ids=str)
@pytest.mark.parametrize("k", [1, 7, 40])
def test_an_evaluation_is_the_mean_over_the_held_out_part(options: dict[str, object], k: int) -> None:
    lab = Lab(**{**vars(LAB), **options, "strategies": (Strategy(k=k),)})
    lane = Lane(lab, 0, 0, corpus_of(lab))
    moment = next(lane).moment
    assert moment is not None
    data = lane.held.some
    for found, window in ((moment.held_out, 10**6), (moment.held_out_reset, k)):
        tape, _ = naive(lane.network, lane, data, window)
        losses = tape.losses[data.counts]
        assert found.tokens == losses.size
        assert found.loss == pytest.approx(losses.mean(), rel=1e-12)
    assert (moment.held_out.loss != moment.held_out_reset.loss) == (k < data.steps)


@pytest.mark.parametrize("layers", [1, 2])
def test_the_probe_is_full_bptt_of_the_last_loss(layers: int) -> None:
    lab = Lab(**{**vars(LAB), "layers": layers, "dtype": "float32"})
    lane = Lane(lab, 0, 0, corpus_of(lab))
    moment, piece = next(lane).moment, lane.held.probed
    assert moment is not None
    assert len(moment.probe) == piece.steps == 100
    counts = np.arange(piece.steps) == piece.steps - 1
    tape, _ = naive(lane.network, lane, Stretch(piece.xs, piece.targets, counts), 10**6)
    states = backprop(lane.network, lane.weights(), tape, full_plan(piece.steps)).states
    norms = np.sqrt(sum(np.square(s[:, : lab.hidden]).sum(axis=1) for s in states)).mean(axis=1)
    np.testing.assert_allclose(moment.probe, norms, rtol=1e-9)


def dense(xs: np.ndarray, E: np.ndarray | None, V: int) -> np.ndarray:
    """(T, N) symbols -> (T, D, N)."""
    return np.swapaxes((np.eye(V) if E is None else E)[xs], 1, 2)


@pytest.mark.parametrize("V", [3, 50])
@pytest.mark.parametrize("embedding", [0, 4])
def test_symbols_are_one_hot_products(V: int, embedding: int) -> None:
    rng = np.random.default_rng(0)
    T, N, G = 6, 3, 8
    xs, dA = rng.integers(V, size=(T, N)), rng.normal(size=(G, T * N))
    E = rng.normal(size=(V, embedding)) if embedding else None
    w = {"W_ih": rng.normal(size=(G, embedding or V)), "b": rng.normal(size=G)}
    halves, out = np.linspace(0.5, 1, G), np.empty((T, G, N))
    write = symbol_projection(w, E, xs, out, halves)
    write(slice(0, 4))
    write(slice(4, 6))
    x = dense(xs, E, V)
    np.testing.assert_allclose(out, (w["W_ih"] @ x + w["b"][:, None]) * halves[:, None])
    dW, dE = np.full_like(w["W_ih"], np.nan), None if E is None else np.full_like(E, np.nan)
    symbol_gradients(w, E, xs, dA, dW, dE)
    flat = np.swapaxes(x, 1, 2).reshape(T * N, -1)
    np.testing.assert_allclose(dW, dA @ flat, atol=1e-12)
    if dE is not None:
        np.testing.assert_allclose(dE, np.eye(V)[xs.ravel()].T @ (dA.T @ w["W_ih"]), atol=1e-12)
    assert tabled(V, T * N) == (V == 3)


def test_places_are_grouped_by_symbol() -> None:
    order, firsts, found = grouped(np.array([[2, 0], [2, 5]]))
    assert (order.tolist(), firsts.tolist(), found.tolist()) == ([1, 0, 2, 3], [0, 1, 3], [0, 2, 5])


def test_a_corpus_of_a_made_task_is_empty() -> None:
    corpus = corpus_of(Lab(task="adding", steps=10))
    assert isinstance(corpus, Corpus)
    assert (len(corpus.train), corpus.inputs, corpus.outputs, corpus.vocabulary) == (0, 2, 1, ())
