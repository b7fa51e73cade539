"""Symbols as input, by their numbers: the projection by gather, and its gradient by sums over equal symbols.

A symbol is a one-hot vector, or its row of the embedding E. They stand as (T, N) integers where values stand as
(T, D, N). Where there are few symbols, W_ih x + b is looked up in a table of one column a symbol, and the gradient
comes from the sums over each symbol's places; where there are more symbols than places, rows of E are gathered and
their gradients scattered back. (leaf)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.arrays import Array, Params

Projection = Callable[[slice], None]


def tabled(symbols: int, places: int) -> bool:
    """Returns whether a table of all symbols is less work than the places themselves."""
    return symbols <= places


def symbol_projection(w: Params, E: Array | None, xs: Array, out: Array, halves: Array | None) -> Projection:
    """Returns what writes W_ih x + b (T, G, N) for symbols xs (T, N), some steps at a time; each row times its entry
    of `halves` (G,) where they are given."""
    W = w["W_ih"]
    if tabled(W.shape[1] if E is None else len(E), xs.size):
        table = (W.T if E is None else E @ W.T) + w["b"]
        if halves is not None:
            table *= halves
        return lambda now: np.copyto(out[now], np.swapaxes(np.take(table, xs[now], axis=0, mode="clip"), 1, 2))

    def gathered(now: slice) -> None:
        if E is None:
            np.copyto(out[now], W[:, xs[now]].swapaxes(0, 1))
        else:
            np.matmul(W, np.swapaxes(E[xs[now]], 1, 2), out=out[now])
        out[now] += w["b"][:, None]
        if halves is not None:
            out[now] *= halves[:, None]

    return gathered


def columns_of(xs: Array, symbols: int) -> Array:
    """Returns what is read as columns: symbols (T, N) one-hot, (T, V, N); values (T, D, N) as they are."""
    if xs.ndim == 3:
        return xs
    (T, N), out = xs.shape, np.zeros((xs.shape[0], symbols, xs.shape[1]))
    out[np.arange(T)[:, None], xs, np.arange(N)] = 1.0
    return out


def sums_of(rows: Array, xs: Array, symbols: int) -> Array:
    """Returns (V, P): for each symbol the sum of the rows (T*N, P) at its places in xs (T, N); zero where it has none.
    A reduction a symbol, as NumPy's `reduceat` takes longer over rows."""
    order, firsts, found = grouped(xs)
    out, sorted_rows = np.zeros((symbols, rows.shape[1]), rows.dtype), np.take(rows, order, axis=0)
    for symbol, first, end in zip(found.tolist(), firsts.tolist(), [*firsts[1:].tolist(), len(rows)], strict=True):
        np.add.reduce(sorted_rows[first:end], axis=0, out=out[symbol])
    return out


def symbol_gradients(w: Params, E: Array | None, xs: Array, dA: Array, dW: Array, dE: Array | None) -> None:
    """Writes the gradients of W_ih (G, D) and E (V, embedding) from dA (G, T*N), for symbols xs (T, N)."""
    W = w["W_ih"]
    V = W.shape[1] if E is None else len(E)
    if tabled(V, xs.size):
        hot = one_hot(xs, V, dA.dtype)
        sums = np.matmul(dA, hot, out=dW if E is None else None)
        if E is not None and dE is not None:
            np.matmul(sums, E, out=dW)
            np.matmul(sums.T, W, out=dE)
        return
    order, firsts, found = grouped(xs)
    if E is None or dE is None:
        dW.fill(0.0)
        dW[:, found] = np.add.reduceat(dA[:, order], firsts, axis=1)
        return
    dE.fill(0.0)
    dE[found] = np.add.reduceat((dA.T @ W)[order], firsts, axis=0)
    np.matmul(dA, E[xs.ravel()], out=dW)


def one_hot(xs: Array, symbols: int, dtype: np.dtype) -> Array:
    """Returns (T*N, V): a one in each place's column."""
    out = np.zeros((xs.size, symbols), dtype)
    out[np.arange(xs.size), xs.ravel()] = 1.0
    return out


def grouped(xs: Array) -> tuple[Array, Array, Array]:
    """Returns the places in the order of their symbols, where each symbol's begin, and the symbols found."""
    order = np.argsort(xs, axis=None, kind="stable")
    found, firsts = np.unique(xs.ravel()[order], return_index=True)
    return order, firsts, found
