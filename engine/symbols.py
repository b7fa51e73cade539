"""Symbols as input, by their numbers: the projection by gather, and its gradient by sums over equal symbols.

A symbol is a one-hot vector, or its row of the embedding E. Where there are few symbols, W_ih x + b is looked
up in a table of one column a symbol, and the gradient comes from the sums over each symbol's places; where there
are more symbols than places, rows of E are gathered and their gradients scattered back. (leaf)
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Array, Params


def tabled(symbols: int, places: int) -> bool:
    """Returns whether a table of all symbols is less work than the places themselves."""
    return symbols <= places


def project_symbols(w: Params, E: Array | None, xs: Array, out: Array) -> Array:
    """Writes W_ih x + b (T, G, N) for symbols xs (T, N); returns what the gradient needs of x: the symbols,
    or their embedding (T, embedding, N) where they are too many for a table."""
    W, (T, N) = w["W_ih"], xs.shape
    V = W.shape[1] if E is None else len(E)
    if tabled(V, T * N):
        table = (W.T if E is None else E @ W.T) + w["b"]
        np.copyto(out, np.swapaxes(table[xs], 1, 2))
        return xs
    if E is None:
        np.copyto(out, W[:, xs].swapaxes(0, 1))
        embedded = xs
    else:
        embedded = np.swapaxes(E[xs], 1, 2)
        np.matmul(W, embedded, out=out)
    out += w["b"][:, None]
    return embedded


def symbol_gradients(w: Params, E: Array | None, xs: Array, dA: Array) -> tuple[Array, Array | None]:
    """Returns the gradients of W_ih (G, D) and E (V, embedding) from dA (G, T*N), for symbols xs (T, N)."""
    W = w["W_ih"]
    V = W.shape[1] if E is None else len(E)
    if tabled(V, xs.size):
        sums = dA @ one_hot(xs, V, dA.dtype)
        return (sums, None) if E is None else (sums @ E, sums.T @ W)
    order, firsts, found = grouped(xs)
    if E is None:
        dW = np.zeros_like(W)
        dW[:, found] = np.add.reduceat(dA[:, order], firsts, axis=1)
        return dW, None
    dE = np.zeros_like(E)
    dE[found] = np.add.reduceat((dA.T @ W)[order], firsts, axis=0)
    return dA @ E[xs.ravel()], dE


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
