"""The spectrum beside explicit products, determinants and linear maps; singular and extreme Jacobians."""

from __future__ import annotations

import numpy as np
import pytest

from engine import Given, parse
from engine.arrays import quiet_single_thread
from engine.diagnostics import Spectrum
from engine.jacobian import step_jacobian
from engine.reference import Reference, reference
from engine.spectrum import spectrum
from tests.engine.setups import CELL_OPTIONS
from tests.engine.test_words import check

SMALL = {"hidden": 4, "batch": 2, "steps": 20}


def jacobians(kept: Reference) -> list[np.ndarray]:
    """Returns J_1 ... J_{T-1} of the first sample."""
    return [step_jacobian(kept.x.network, kept.x.params, kept.tape, t) for t in range(1, kept.config.steps)]


def quiet(kept: Reference) -> Spectrum:
    with quiet_single_thread():
        return spectrum(kept)


def linear(A: np.ndarray, steps: int = 40) -> Reference:
    """Returns a plain RNN that stays at 0, where its Jacobian is A at every step."""
    H = len(A)
    weights = {"l0.W_hh": A, "l0.W_ih": np.zeros((H, 1)), "l0.b": np.zeros(H)}
    return reference(parse({"cell": "rnn", "hidden": H, "batch": 1, "steps": steps, "task": "series"}), Given(weights))


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_exponents_sum_to_the_mean_log_determinant(cell: str, layers: int) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | {"layers": layers}))
    found = quiet(kept)
    truth = np.mean([np.linalg.slogdet(J)[1] for J in jacobians(kept)])
    assert found.log_det == pytest.approx(truth, abs=1e-12 * abs(truth))
    assert found.lyapunov.sum() == pytest.approx(truth, abs=1e-8)
    assert len(found.lyapunov) == layers * kept.x.network.state
    assert (np.diff(found.lyapunov) <= 0).all()


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_products_are_explicit_products(cell: str) -> None:
    kept = reference(parse(SMALL | CELL_OPTIONS[cell] | {"layers": 2}))
    found, Js = quiet(kept), jacobians(kept)
    assert found.lags[[0, -1]].tolist() == [1, 19]
    for lag, ours, bound in zip(found.lags, found.product_largest, found.bound, strict=True):
        factors = Js[len(Js) - lag :][::-1]  # J_{T-1} ... J_{T-lag}
        product = np.linalg.multi_dot(factors) if lag > 1 else factors[0]
        assert ours == pytest.approx(np.linalg.norm(product, 2), rel=1e-10)
        assert bound == pytest.approx(np.prod([np.linalg.norm(J, 2) for J in factors]), rel=1e-10)
        assert bound >= ours * (1 - 1e-12)
    assert found.bound[0] == pytest.approx(found.product_largest[0], rel=1e-12)
    assert np.allclose(10**found.log10_product, found.product_largest, rtol=1e-12)
    assert np.allclose(10**found.log10_bound, found.bound, rtol=1e-12)


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_singular_values_are_those_of_the_steps(cell: str) -> None:
    kept = reference(parse({**SMALL, "steps": 50} | CELL_OPTIONS[cell]))
    found, Js = quiet(kept), jacobians(kept)
    assert found.steps[[0, -1]].tolist() == [1, 49]
    assert len(found.steps) <= 32
    for t, largest, smallest in zip(found.steps, found.largest, found.smallest, strict=True):
        values = np.linalg.svd(Js[t - 1], compute_uv=False)
        assert [largest, smallest] == pytest.approx(values[[0, -1]].tolist(), rel=1e-9)


def test_without_products_the_rest_is_the_same() -> None:
    kept = reference(parse(SMALL))
    found, less = quiet(kept), spectrum(kept, products=False)
    assert len(less.lags) == len(less.product_largest) == len(less.bound) == len(less.log10_bound) == 0
    for name in ("steps", "largest", "smallest", "lyapunov", "log_det", "spectral_radius", "sentence"):
        assert np.all(getattr(less, name) == getattr(found, name))


def test_the_exponents_of_a_diagonal_map() -> None:
    values = np.array([1.5, -0.9, 0.5, 1e-5])
    found = quiet(linear(np.diag(values)))
    assert np.allclose(found.lyapunov, np.log(np.abs(values)), rtol=1e-12)
    assert found.verdict == "exploding"
    assert found.spectral_radius["l0.W_hh[0]"] == pytest.approx(1.5)


def test_the_exponents_of_any_linear_map_tend_to_its_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    V = np.eye(3) + 0.2 * rng.normal(size=(3, 3))
    found = quiet(linear(V @ np.diag([0.9, -0.5, 0.1]) @ np.linalg.inv(V), steps=400))
    assert np.allclose(found.lyapunov, np.log([0.9, 0.5, 0.1]), atol=0.01)
    assert found.spectral_radius["l0.W_hh[0]"] == pytest.approx(0.9, rel=1e-10)
    assert found.verdict == "vanishing"


def test_a_rotation_is_stable() -> None:
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    found = quiet(linear(turn))
    assert found.verdict == "stable"
    assert np.allclose(found.lyapunov, 0, atol=1e-13)
    assert np.allclose(found.product_largest, 1, rtol=1e-12)
    assert "keeps its size" in found.sentence


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_500_steps_neither_vanish_nor_overflow(factor: float) -> None:
    """1e-3 and 1e3 to the 499th are far outside the range of double precision; their logarithms are not."""
    found = quiet(linear(factor * np.diag([1.0, 0.5]), steps=500))
    assert found.log10_product[-1] == pytest.approx(499 * np.log10(factor), rel=1e-12)
    assert found.log10_bound[-1] == pytest.approx(499 * np.log10(factor), rel=1e-12)
    assert (found.log10_bound >= found.log10_product - 1e-9).all()
    assert found.product_largest[-1] in (0.0, np.inf)
    assert found.lyapunov == pytest.approx([np.log(factor), np.log(factor / 2)], rel=1e-12)


@pytest.mark.parametrize("cell", CELL_OPTIONS)
def test_singular_jacobians(cell: str) -> None:
    """gain = 0 takes away W_hh: an RNN's Jacobian is 0, an LSTM's has rank H."""
    found = quiet(reference(parse(SMALL | CELL_OPTIONS[cell] | {"gain": 0})))
    assert not np.isnan(found.lyapunov).any()
    check(found.sentence)
    if cell == "rnn":
        assert np.isneginf(found.lyapunov).all()
        assert np.isneginf(found.log_det)
        assert np.isneginf(found.log10_product).all()
        assert (found.product_largest == 0).all()
        assert "nothing at all" in found.sentence
    assert found.verdict == "vanishing"


def test_a_nilpotent_map_dies_after_its_steps() -> None:
    found = quiet(linear(np.eye(4, k=1), steps=9))
    alive = found.lags < 4
    assert np.allclose(found.log10_product[alive], 0, atol=1e-14)
    assert np.isneginf(found.log10_product[~alive]).all()
    assert np.allclose(found.log10_bound, 0, atol=1e-14), "a bound, and no more"


def test_jacobians_that_are_not_finite_have_no_spectrum() -> None:
    kept = reference(parse({**SMALL, "cell": "rnn"}))
    kept.tape.layers[0].factors[9] = np.inf
    found = quiet(kept)
    assert np.isnan(found.lyapunov).all()
    assert found.verdict == "undefined"
    assert len(found.product_largest) == len(found.lags)
    check(found.sentence)


@pytest.mark.parametrize("size", [1e-300, 1e200, 1e307])
def test_weights_of_any_size(size: float) -> None:
    found = quiet(linear(size * np.array([[1.0, 0.5], [0.0, 1.0]])))
    assert found.spectral_radius["l0.W_hh[0]"] == pytest.approx(size, rel=1e-6)
    assert found.lyapunov.mean() == pytest.approx(np.log(size), rel=1e-10)
    assert np.isfinite(found.log10_product).all()
