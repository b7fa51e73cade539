"""Norms without overflow or underflow, shapes that say what was expected, one BLAS thread."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from engine.arrays import add_rows, columns, norm, quiet_single_thread, require_shape, unit_scale
from engine.errors import InputError


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-160, 1e-140, 1.0, 1e140, 1e160, 1e200, 1e300])
def test_norm_at_any_scale(scale: float) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 3))
    with np.errstate(all="ignore"):
        found = norm(scale * x, 1)
    assert found.shape == (4, 3)
    assert np.allclose(found / scale, np.linalg.norm(x, axis=1), rtol=1e-14, atol=0)


def test_norm_over_several_axes() -> None:
    x = 1e-200 * np.random.default_rng(0).normal(size=(4, 6, 3))
    assert np.allclose(norm(x, (1, 2)) / 1e-200, np.linalg.norm((x / 1e-200).reshape(4, -1), axis=1), rtol=1e-14)


def test_norm_of_mixed_scales_loses_none() -> None:
    x = np.array([[3e-200, 4e-200], [3.0, 4.0], [0.0, 0.0], [3e200, 4e200]])
    with np.errstate(all="ignore"):
        assert norm(x, 1).tolist() == pytest.approx([5e-200, 5.0, 0.0, 5e200], rel=1e-14, abs=0)


def test_norm_keeps_what_is_not_finite() -> None:
    x = np.array([[np.inf, 1.0], [-np.inf, np.inf], [np.nan, 1.0], [3.0, 4.0]])
    with np.errstate(all="ignore"):
        found = norm(x, 1)
    assert found[0] == found[1] == np.inf
    assert np.isnan(found[2])
    assert found[3] == 5.0


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_norm_takes_care_of_the_poor_alone(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(4, 6, 3))
    x[1:3, 2] *= 1e-200
    x[0], x[3, :, 1] = 0.0, 1e200
    with np.errstate(all="ignore"):
        found, careful = norm(x, axis), norm(x, (axis,))  # over a tuple of axes all are taken care of
    assert np.allclose(found, careful, rtol=1e-14, atol=0)
    assert (found == 0).sum() == (careful == 0).sum()
    x[2, 4, 0] = np.nan
    with np.errstate(all="ignore"):
        assert np.isnan(norm(x, axis)).sum() == 1


def test_add_rows_adds_to_every_column() -> None:
    x, b = np.random.default_rng(0).normal(size=(2, 4, 5, 3)), np.arange(5.0)
    assert np.array_equal(add_rows(x.copy(), b), x + b[:, None])
    out = x.copy()
    assert add_rows(out, b) is out


def test_norm_of_nothing_is_zero() -> None:
    assert norm(np.zeros((3, 0)), 1).tolist() == [0.0, 0.0, 0.0]


def test_require_shape_gives_float64() -> None:
    found = require_shape("x", [[1, 2], [3, 4]], (2, 2), "T, B")
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(("value", "got"), [
    ([[1, 2]], "(1, 2)"), ([1, 2], "(2,)"), ([[1], [2, 3]], "ragged"), ([["a", "b"], ["c", "d"]], "non-numeric"),
    ([[1, np.nan], [1, 1]], "not finite"), ([[1, np.inf], [1, 1]], "not finite"), ([[1j, 1], [1, 1]], "non-numeric"),
    ([[None, {}], [1, 1]], "non-numeric"), ([[10**400, 1], [1, 1]], "non-numeric")])
def test_require_shape_says_what_it_expected_and_got(value: object, got: str) -> None:
    with pytest.raises(InputError) as error:
        require_shape("x", value, (2, 2), "T, B")
    (problem,) = error.value.problems
    assert problem.field == "x"
    assert got in problem.value
    assert problem.remedy
    assert "(T, B) = (2, 2)" in problem.limit or problem.limit == "must be finite"


def test_columns_puts_features_before_columns_contiguously() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    found = columns(x)
    assert found.shape == (2, 4, 3)
    assert found[1, 2, 0] == x[1, 0, 2]
    assert found.flags.c_contiguous


def test_unit_scale() -> None:
    assert unit_scale(np.array([1.0, -5.0]), np.array([2.0])) == 5.0
    assert unit_scale(np.array([0.0])) == unit_scale(np.zeros(0)) == unit_scale() == 1.0
    assert unit_scale(np.array([np.inf, 2.0])) == unit_scale(np.array([np.nan])) == 1.0


def test_quiet_single_thread() -> None:
    before = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    with warnings.catch_warnings(), quiet_single_thread():
        warnings.simplefilter("error")
        assert np.isinf(np.array([1e300]) * 1e300)
        assert all(pool["num_threads"] == 1 for pool in threadpool_info() if pool["user_api"] == "blas")
    assert [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"] == before
