"""Errors of correlated histories: known processes, an independent jackknife, and what is refused."""

import numpy as np
import pytest
from unit.synthetic_run import ar1

from lqcd_hpc import LqcdError
from lqcd_hpc.analysis.autocorrelation import autocorrelation_function
from lqcd_hpc.analysis.errors import (
    Estimate,
    derived,
    estimate,
    exp_minus_dh,
    format_value,
    susceptibility,
)
from lqcd_hpc.analysis.thermalisation import thermalisation_cut


def jackknife(function, history, block):
    """Error of function(blocked samples' mean) from leaving out one block of the history at a time."""
    blocks = history[: len(history) // block * block].reshape(-1, block)
    n = len(blocks)
    left_out = np.array([function(np.delete(blocks, i, axis=0).ravel()) for i in range(n)])
    return np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2))


@pytest.mark.parametrize("tau", [0.5, 2.0, 10.0])
def test_tau_int_and_error_of_an_ar1_process_are_the_exact_ones(tau):
    samples = 40000
    found = estimate(5.0 + 0.3 * ar1(np.random.default_rng(11), samples, tau))
    exact_error = 0.3 * np.sqrt(2 * tau / samples)
    assert abs(found.tau_int - tau) < 3 * found.tau_int_error + 0.02
    assert abs(found.error - exact_error) < 3 * found.error_of_error + 0.02 * exact_error
    assert abs(found.mean - 5.0) < 3 * exact_error
    assert found.samples == samples


def test_gamma_method_agrees_with_a_blocked_jackknife():
    history = ar1(np.random.default_rng(5), 60000, 3.0)
    block = 150
    for found, function in (
        (estimate(history), np.mean),
        (susceptibility(history, 16.0), lambda x: 16.0 * np.var(x)),
        (derived(np.exp, history), lambda x: np.exp(np.mean(x))),
    ):
        other = jackknife(function, history, block)
        uncertainty = np.hypot(found.error_of_error, other * np.sqrt(0.5 * block / len(history)))
        assert abs(found.error - other) < 3 * uncertainty
        assert found.mean == pytest.approx(function(history), rel=1e-12)


def test_errors_cover_the_truth_as_often_as_a_gaussian_says():
    rng = np.random.default_rng(8)
    found = [estimate(row) for row in ar1(rng, 2000, 4.0, (200,)).T]
    covered = np.mean([one.deviation(0.0) < 1 for one in found])
    assert abs(covered - 0.683) < 3 * np.sqrt(0.683 * 0.317 / 200) + 0.02


def test_replicas_are_pooled_and_measured_from_their_common_mean():
    chains = ar1(np.random.default_rng(3), 500, 5.0, (80,)).T
    found = estimate(chains)
    assert found.samples == 40000
    assert found.error == pytest.approx(np.sqrt(2 * 5.0 / 40000), rel=0.15)
    assert estimate(list(chains)) == found
    uneven = estimate([chains[0], chains[1][:200]])
    assert uneven.mean == pytest.approx((chains[0].sum() + chains[1][:200].sum()) / 700)
    frozen = estimate([0.01 * chains[0], 1 + 0.01 * chains[1]])
    assert frozen.error > 0.1, "two chains stuck at different values must not look precise"


def test_correlated_quantities_cancel_in_a_derived_ratio():
    x = 2 + 0.1 * ar1(np.random.default_rng(6), 5000, 2.0)
    y = 3 * x + 1e-4 * np.random.default_rng(7).normal(size=5000)
    found = derived(lambda a, b: b / a, x, y)
    assert found.deviation(3.0) < 4
    assert found.error < 1e-5


def test_exp_minus_dh_is_one_for_a_gaussian_of_matching_mean_and_variance():
    delta_h = np.random.default_rng(4).normal(0.125, 0.5, 20000)
    gaps = np.append(delta_h, [np.nan] * 7)
    assert exp_minus_dh(gaps) == exp_minus_dh(delta_h)
    assert exp_minus_dh(delta_h).deviation(1.0) < 3


def test_susceptibility_with_and_without_a_known_mean():
    charge = 2.0 * ar1(np.random.default_rng(9), 20000, 2.0)
    for found in (susceptibility(charge, 1 / 64), susceptibility(charge, 1 / 64, known_mean=0.0)):
        assert found.deviation(4.0 / 64) < 3


def test_autocorrelation_function_of_an_ar1_process_decays_geometrically():
    tau = 4.0
    found = autocorrelation_function(ar1(np.random.default_rng(2), 50000, tau))
    exact = ((2 * tau - 1) / (2 * tau + 1)) ** np.arange(len(found.rho))
    inside = slice(1, found.window)
    assert found.rho[0] == 1 and found.error[0] == 0
    assert np.all(np.abs(found.rho - exact)[inside] < 4 * found.error[inside] + 1e-3)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([1.0, 2.0, 3.0], "only 3 samples"),
        (np.full(100, 0.59), "constant"),
        ([1.0, np.nan, 2.0, 3.0, 4.0, 5.0], "nan"),
        (np.ones(10) * 1j, "complex"),
        (np.ones((2, 3, 10)), "2 axes"),
        ([], "samples"),
    ],
)
def test_a_history_without_an_error_is_refused_with_the_reason(history, message):
    with pytest.raises(LqcdError, match=message) as refused:
        estimate(history, "plaquette")
    assert "plaquette" in str(refused.value)


def test_derived_refuses_histories_of_different_lengths():
    with pytest.raises(LqcdError, match="different lengths"):
        derived(lambda a, b: a + b, np.arange(10.0), np.arange(11.0))


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.593678, 0.000024, "0.593678(24)"),
        (0.5, 0.00996, "0.500(10)"),
        (12.0, 0.951, "12.00(95)"),
        (12.0, 0.996, "12.0(1.0)"),
        (-3.2, 1.3, "-3.2(1.3)"),
        (1234.0, 57.0, "1234(57)"),
        (6.7e-4, 1.2e-5, "6.70(12)e-04"),
        (2.5e7, 3e5, "2.500(30)e+07"),
        (0.0, 0.0, "0"),
        (1.5, float("nan"), "1.5"),
    ],
)
def test_values_are_printed_with_two_digits_of_their_error(value, error, text):
    assert format_value(value, error) == text


def test_an_estimate_tells_when_its_error_is_uncertain():
    assert not Estimate(1.0, 0.1, 0.1, 10.0, 5.0, 100).reliable
    assert Estimate(1.0, 0.1, 0.01, 0.5, 0.05, 100).reliable


def test_thermalisation_is_found_and_a_stationary_chain_loses_nothing():
    rng = np.random.default_rng(12)
    stationary = [thermalisation_cut(row) for row in ar1(rng, 600, 5.0, (40,)).T]
    assert np.mean(np.array(stationary) > 0) < 0.1
    drift = 40 * np.exp(-np.arange(600) / 12)
    for row in ar1(rng, 600, 3.0, (10,)).T:
        assert 20 < thermalisation_cut(row + drift) < 200
    assert thermalisation_cut([1.0, 2.0, 3.0]) == 0
