"""Sigmoid, tanh and their derivatives, for real and complex arguments. (leaf)

The derivatives are taken from the pre-activation, not from the output: `1 - tanh(a)**2` loses
every digit once tanh(a) rounds to 1, while `1 / cosh(a)**2` keeps its relative accuracy down to
1e-300, which the certificate needs where units saturate.

The complex forms are exact identities (Abramowitz & Stegun 1964, 4.5.51), written in real
functions so that the imaginary part keeps its relative accuracy too. They are tested against the
C library's complex tanh and exp.
"""

from __future__ import annotations

import numpy as np

from engine.arrays import Array


def sigmoid(a: Array, out: Array | None = None) -> Array:
    """Returns 1 / (1 + exp(-a)), in `out` if given."""
    if a.dtype.kind == "c":
        return _complex_sigmoid(a, out)
    out = np.negative(a, out=out)
    np.exp(out, out=out)
    out += 1.0
    return np.reciprocal(out, out=out)


def tanh(a: Array, out: Array | None = None) -> Array:
    """Returns tanh(a), in `out` if given."""
    return _complex_tanh(a, out) if a.dtype.kind == "c" else np.tanh(a, out=out)


def dsigmoid(a: Array) -> Array:
    """Returns the derivative of sigmoid at the pre-activation a: sigmoid(a) * sigmoid(-a) = e / (1 + e)**2
    with e = exp(-|a|)."""
    e = np.abs(a)
    np.negative(e, out=e)
    np.exp(e, out=e)
    out = e + 1.0
    np.square(out, out=out)
    return np.divide(e, out, out=out)


def dtanh(a: Array) -> Array:
    """Returns the derivative of tanh at the pre-activation a: 1 / cosh(a)**2."""
    out = np.cosh(a)
    np.reciprocal(out, out=out)
    return np.square(out, out=out)


def _complex_tanh(z: Array, out: Array | None) -> Array:
    """tanh(a + ib) = (t + iu) / (1 + itu) with t = tanh a, u = tan b; and 1 - t**2 = 1/cosh(a)**2."""
    out = np.empty(z.shape, np.complex128) if out is None else out
    a, u = z.real, np.tan(z.imag)
    t = np.tanh(a)
    denominator = 1.0 + np.square(t * u)
    imag = u * dtanh(a) / denominator
    out.real = t * (1.0 + np.square(u)) / denominator
    out.imag = imag
    return out


def _complex_sigmoid(z: Array, out: Array | None) -> Array:
    """sigmoid(a + ib) = (1 + tanh((a + ib)/2)) / 2, with (1 + t)/2 = sigmoid(a) for its real part."""
    out = np.empty(z.shape, np.complex128) if out is None else out
    a, u = z.real, np.tan(0.5 * z.imag)
    s, r = sigmoid(a), sigmoid(-a)
    t = s - r
    denominator = 1.0 + np.square(t * u)
    imag = 2.0 * s * r * u / denominator
    out.real = s * (1.0 + t * np.square(u)) / denominator
    out.imag = imag
    return out


def interpolate(z: Array, rest: Array, s: Array, n: Array, out: Array) -> None:
    """Writes z * s + (1 - z) * n to out, given rest = 1 - z to full relative accuracy (sigmoid(-a) for
    z = sigmoid(a)), which 1 - z itself loses where z is near 1. For complex z the imaginary parts of z and
    1 - z are opposite, so that they multiply s - n: no small part of a sum is lost."""
    np.multiply(z.real, s, out=out)
    out += rest.real * n
    if z.dtype.kind == "c":
        out += 1j * z.imag * (s - n)
