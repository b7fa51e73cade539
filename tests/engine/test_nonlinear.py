"""Sigmoid, tanh and their derivatives against 60-digit arithmetic and the C library's complex functions."""

from __future__ import annotations

import cmath
from collections.abc import Callable
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.nonlinear import dsigmoid, dtanh, interpolate, sigmoid, tanh

ULPS = 4 * np.finfo(float).eps
ARGUMENTS = [0.0, 1e-300, 1e-17, 1e-8, 0.1, 0.5, 1.0, 2.0, 5.0, 17.0, 20.0, 36.0, 37.0, 40.0, 100.0, 300.0, 340.0]
SIGNED = [sign * a for a in ARGUMENTS for sign in (1.0, -1.0)]


def exact_sigmoid(a: float) -> Decimal:
    return 1 / (1 + (-Decimal(a)).exp())


def exact_tanh(a: float) -> Decimal:
    twice = (2 * Decimal(a)).exp()
    return (twice - 1) / (twice + 1)


def exact_dsigmoid(a: float) -> Decimal:
    return exact_sigmoid(a) * exact_sigmoid(-a)


def exact_dtanh(a: float) -> Decimal:
    e = Decimal(a).exp()
    return (2 / (e + 1 / e)) ** 2


@pytest.mark.parametrize("a", SIGNED)
@pytest.mark.parametrize(("ours", "exact"), [(sigmoid, exact_sigmoid), (tanh, exact_tanh),
                                             (dsigmoid, exact_dsigmoid), (dtanh, exact_dtanh)],
                         ids=["sigmoid", "tanh", "dsigmoid", "dtanh"])
def test_real_values_and_derivatives(ours: Callable, exact: Callable[[float], Decimal], a: float) -> None:
    with localcontext() as context:
        context.prec = 400
        truth = float(exact(a))
    assert float(ours(np.array([a]))[0]) == pytest.approx(truth, rel=(abs(a) + 8) * ULPS, abs=0)


@pytest.mark.parametrize("a", [700.0, 800.0, 1e5, 1e300, np.inf])
def test_far_out_everything_is_settled(a: float) -> None:
    x = np.array([a, -a])
    with np.errstate(all="ignore"):
        assert sigmoid(x).tolist() == pytest.approx([1, 0], abs=1e-300)
        assert tanh(x).tolist() == [1, -1]
        assert dsigmoid(x).tolist() == pytest.approx([0, 0], abs=1e-300)
        assert dtanh(x).tolist() == [0, 0]


def test_nan_stays_nan() -> None:
    x = np.array([np.nan])
    assert all(np.isnan(f(x)).all() for f in (sigmoid, tanh, dsigmoid, dtanh))


REAL = st.floats(-30, 30, allow_subnormal=False)
IMAGINARY = st.floats(-1.4, 1.4, allow_subnormal=False)


@given(REAL, IMAGINARY)
def test_complex_tanh_is_the_c_librarys(a: float, b: float) -> None:
    found, truth = complex(tanh(np.array([complex(a, b)]))[0]), cmath.tanh(complex(a, b))
    assert abs(found - truth) <= 1e-13 * abs(truth)
    assert found == pytest.approx(complex(np.tanh(complex(a, b))), rel=1e-13, abs=0)


@given(REAL, IMAGINARY)
def test_complex_sigmoid_is_the_c_librarys(a: float, b: float) -> None:
    z = complex(a, b)
    found, truth = complex(sigmoid(np.array([z]))[0]), 1 / (1 + cmath.exp(-z))
    assert abs(found - truth) <= 1e-12 * abs(truth)


@pytest.mark.parametrize("a", [a for a in SIGNED if abs(a) < 300])
@pytest.mark.parametrize("eps", [1e-20, 1e-100, 1e-160])
@pytest.mark.parametrize(("f", "exact"), [(sigmoid, exact_dsigmoid), (tanh, exact_dtanh)], ids=["sigmoid", "tanh"])
def test_the_imaginary_part_keeps_its_relative_accuracy(f: Callable, exact: Callable, eps: float, a: float) -> None:
    """f(a + i eps) has the imaginary part eps f'(a), also where f' is 1e-130 or smaller."""
    with localcontext() as context:
        context.prec = 400
        truth = float(exact(a))
    found = f(np.array([complex(a, eps)]))
    if truth * eps > 1e-290:
        assert found.imag[0] == pytest.approx(truth * eps, rel=(abs(a) + 8) * ULPS, abs=0)
    assert found.real[0] == pytest.approx(f(np.array([a]))[0], rel=ULPS, abs=0)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("f", [sigmoid, tanh])
def test_out_is_written_and_returned_and_may_be_the_argument(f: Callable, dtype: type) -> None:
    x = np.linspace(-3, 3, 7).astype(dtype) + (0.1j if dtype is complex else 0)
    truth, out = f(x.copy()), np.empty_like(x)
    assert f(x, out=out) is out
    assert np.array_equal(out, truth)
    assert np.array_equal(f(x, out=x), truth)


@given(REAL, REAL, REAL)
def test_interpolate_blends(a: float, s: float, n: float) -> None:
    x, out = np.array([a]), np.empty(1)
    interpolate(sigmoid(x), sigmoid(-x), np.array([s]), np.array([n]), out)
    z = exact_sigmoid(a)
    truth = float(z * Decimal(s) + (1 - z) * Decimal(n))
    assert out[0] == pytest.approx(truth, rel=0, abs=1e-13 * max(abs(s), abs(n)))


@pytest.mark.parametrize("a", [-300.0, -40.0, -1.0, 0.0, 1.0, 40.0, 300.0])
@pytest.mark.parametrize("gap", [1.0, 1e-8, 1e-15, 0.0])
@pytest.mark.parametrize("moved", ["z", "s", "n"])
def test_interpolate_keeps_every_derivative(moved: str, gap: float, a: float) -> None:
    """By z: (s - n) z'; by s: z; by n: 1 - z. Also where s is next to n, and z next to 0 or 1."""
    step = {name: 1e-100j if name == moved else 0j for name in "zsn"}
    x, s, n = np.array([a + step["z"]]), np.array([0.5 + gap + step["s"]]), np.array([0.5 + step["n"]])
    out = np.empty(1, complex)
    interpolate(sigmoid(x), sigmoid(-x), s, n, out)
    with localcontext() as context:
        context.prec = 400
        truth = {"z": exact_dsigmoid(a) * Decimal(float((s - n).real[0])), "s": exact_sigmoid(a),
                 "n": exact_sigmoid(-a)}
    assert out.imag[0] / 1e-100 == pytest.approx(float(truth[moved]), rel=1e-12, abs=0)
