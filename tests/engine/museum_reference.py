"""The museum's networks once more, written out plainly: forward passes with complex numbers, and loops backward."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
STEP = 1e-30


@dataclass(frozen=True)
class Kept:
    """What a plain LSTM step has seen: the states before it, its gates, and c and h after it."""

    h_before: Array
    c_before: Array
    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def cross_entropy(y: Array, target: Array) -> Array:
    """(B,): -log softmax(y)[target] for y (O, B)."""
    return np.asarray(np.log(np.exp(y).sum(axis=0)) - y[target, np.arange(len(target))])


def lstm(params: dict[str, Array], xs: Array, initial: Array) -> list[Kept]:
    """Returns every step of a plain LSTM over xs (T, D, B) from the state (2H, B)."""
    H = len(initial) // 2
    h, c, out = initial[:H], initial[H:], []
    for x in xs:
        z = params["l0.W_ih"] @ x + params["l0.W_hh"] @ h + params["l0.b"][:, None]
        i, f, g, o = sigmoid(z[:H]), sigmoid(z[H : 2 * H]), np.tanh(z[2 * H : 3 * H]), sigmoid(z[3 * H :])
        before = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        out.append(Kept(*before, i, f, g, o, c, h))
    return out


def derivative(params: dict[str, Array], xs: Array, targets: Array, initial: Array, s: int, t: int, part: str,
               cut_h: Collection[int] = (), cut_c: Collection[int] = ()) -> float:
    """Returns |dL_s/dh_t| or |dL_s/dc_t| by complex step, norm per sample and mean over the batch. Before the steps in
    cut_h and cut_c the part keeps its real half only, which is what detach() does. A state is perturbed after its
    step; c_t is perturbed before h_t is made of it."""
    H, B = len(initial) // 2, initial.shape[1]
    squares = np.zeros(B)
    for unit in range(H):
        h, c = initial[:H].astype(complex), initial[H:].astype(complex)
        for step in range(s + 1):
            h = h.real + 0j if step in cut_h else h
            c = c.real + 0j if step in cut_c else c
            z = params["l0.W_ih"] @ xs[step] + params["l0.W_hh"] @ h + params["l0.b"][:, None]
            i, f, g, o = sigmoid(z[:H]), sigmoid(z[H : 2 * H]), np.tanh(z[2 * H : 3 * H]), sigmoid(z[3 * H :])
            c = f * c + i * g
            if step == t and part == "c":
                c[unit] += 1j * STEP
            h = o * np.tanh(c)
            if step == t and part == "h":
                h[unit] += 1j * STEP
        loss = cross_entropy(params["W_hy"] @ h + params["b_y"][:, None], targets[s])
        squares += (loss.imag / STEP) ** 2
    return float(np.sqrt(squares).mean())


def backward_by_hand(params: dict[str, Array], steps: list[Kept], dh: Array, derivatives: bool) -> list[Array]:
    """Returns dL/dh_t for t = last, ..., 0, with the gates' own derivatives or, as the exhibit has it, without."""
    out, dc = [], np.zeros_like(dh)
    for kept in reversed(steps):
        out.append(dh)
        tanh_c = np.tanh(kept.c)
        dc = dc + dh * kept.o * (1 - tanh_c**2)
        gates = [dc * kept.g, dc * kept.c_before, dc * kept.i, dh * tanh_c]
        if derivatives:
            own = [kept.i * (1 - kept.i), kept.f * (1 - kept.f), 1 - kept.g**2, kept.o * (1 - kept.o)]
            gates = [gate * slope for gate, slope in zip(gates, own, strict=True)]
        dh, dc = params["l0.W_hh"].T @ np.concatenate(gates), dc * kept.f
    return out


def rnn_losses(params: dict[str, Array], bits: Array, targets: Array, state: Array,
               perturbed: tuple[int, int] | None = None) -> Array:
    """Returns (T, B) losses of a plain RNN over bits (T, B); the state after step t has i * STEP added to one unit."""
    h, out = state.astype(complex), []
    for step, (bit, target) in enumerate(zip(bits, targets, strict=True)):
        x = np.stack([1.0 - bit, bit])
        h = np.tanh(params["l0.W_ih"] @ x + params["l0.W_hh"] @ h + params["l0.b"][:, None])
        if perturbed and perturbed[0] == step:
            h[perturbed[1]] += 1j * STEP
        out.append(cross_entropy(params["W_hy"] @ h + params["b_y"][:, None], target))
    return np.array(out)


def rnn_credit(params: dict[str, Array], bits: Array, targets: Array, s: int, t: int) -> float:
    """Returns |dL_s/dh_t| of one row, by complex step, from a state of zeros."""
    zeros = np.zeros((len(params["l0.b"]), 1))
    slopes = [rnn_losses(params, bits, targets, zeros, (t, unit))[s, 0].imag / STEP for unit in range(len(zeros))]
    return float(np.linalg.norm(slopes))
