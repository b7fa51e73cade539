"""The LSTM exercise: the mapping of its layout, checked by its own equations in plain NumPy."""

from __future__ import annotations

import numpy as np

from engine.published import lstm_exercise
from engine.published.lstm_exercise import GATES, B, D, H, T, blocks, gradients


def objective(params: dict[str, np.ndarray], xs: np.ndarray, a: np.ndarray, da: np.ndarray) -> float:
    """Returns sum over t of <da_t, a_t>, by the exercise's equations: gates of W [a; x] + b."""
    c, total = np.zeros_like(a), 0.0
    for x, weight in zip(xs, da, strict=True):
        pre = {gate: params[f"W{gate}"] @ np.concatenate([a, x]) + params[f"b{gate}"] for gate in GATES}
        f, i, o = (1 / (1 + np.exp(-pre[gate])) for gate in "fio")
        c = f * c + i * np.tanh(pre["c"])
        a = o * np.tanh(c)
        total += float((weight * a).sum())
    return total


def test_the_full_gradient_is_that_of_the_exercise() -> None:
    """Central differences of the exercise's own forward pass, at the entries that it prints."""
    drawn, data, da = lstm_exercise._drawn()
    stacked = np.concatenate([drawn["l0.W_hh"], drawn["l0.W_ih"]], axis=1)
    params = {f"W{gate}": stacked[n * H : (n + 1) * H].copy() for n, gate in enumerate(GATES)}
    params |= {f"b{gate}": drawn["l0.b"][n * H : (n + 1) * H, None].copy() for n, gate in enumerate(GATES)}
    assert stacked.shape == (4 * H, H + D)
    a0, found, step = data.initial[0][:H], blocks(gradients(T)), 1e-5
    for name, row, column, _, claimed in lstm_exercise.EXPECTED:
        block = a0 if name == "a0" else params[name]
        values = []
        for sign in (1, -1):
            block[row, column] += sign * step
            values.append(objective(params, data.xs, a0, da))
            block[row, column] -= sign * step
        slope = (values[0] - values[1]) / (2 * step)
        assert abs(slope - found[name][row, column]) < 1e-8, name
        assert abs(slope - claimed) < 2e-8, name


def test_windows_in_between_differ_from_both() -> None:
    entries = [blocks(gradients(k))["Wf"][3, 1] for k in range(1, T + 1)]
    assert len({round(float(entry), 9) for entry in entries}) == T


def test_ours_are_means_over_the_batch() -> None:
    assert np.allclose(blocks(gradients(1))["bf"][:, 0], gradients(1).blocks["l0.b"][H : 2 * H] * B, rtol=1e-15)
