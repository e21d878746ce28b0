"""t0 and w0 of curves whose crossing is known."""

import numpy as np
import pytest
from unit.synthetic_run import ar1

from lqcd_hpc import LqcdError
from lqcd_hpc.analysis.errors import estimate
from lqcd_hpc.analysis.flow_scales import flow_curves, flow_scale_t0, flow_scale_w0


def energy_of(time, curve):
    """E with t^2 E = curve, and something finite at t = 0."""
    return curve / np.where(time > 0, time, 1e-3) ** 2


def test_scales_of_a_power_law_are_exact():
    time = np.linspace(0, 3, 31)
    curve = 0.1 * time**2 * (1 + 0.01 * ar1(np.random.default_rng(1), 50, 0.5)[:, None])
    curve /= curve.mean(axis=0)[-1] / 0.9
    energy = energy_of(time, curve)
    assert flow_scale_t0(time, energy).time.mean == pytest.approx(np.sqrt(3), rel=1e-4)  # 0.1 t^2 = 0.3
    assert flow_scale_w0(time, energy).time.mean == pytest.approx(np.sqrt(1.5), rel=1e-3)  # 0.2 t^2 = 0.3
    assert flow_scale_t0(time, energy).scale.mean == pytest.approx(3**0.25, rel=1e-4)


def test_error_of_t0_is_the_spread_of_crossings_and_sees_autocorrelation():
    time = np.linspace(0, 5, 51)
    slope = 0.1 * (1 + 0.02 * ar1(np.random.default_rng(2), 4000, 6.0))
    found = flow_scale_t0(time, energy_of(time, slope[:, None] * time))
    crossings = estimate(0.3 / slope)
    assert found.time.mean == pytest.approx(0.3 / slope.mean(), rel=1e-10)
    assert found.time.error == pytest.approx(crossings.error, rel=0.1)
    assert abs(found.time.tau_int - 6.0) < 3 * found.time.tau_int_error
    assert found.scale.error == pytest.approx(found.time.error / (2 * np.sqrt(found.time.mean)), rel=1e-6)


def test_a_flow_that_starts_after_zero_begins_at_the_origin():
    time = np.linspace(0.1, 4, 40)
    energy = energy_of(time, 0.1 * time * (1 + 0.01 * ar1(np.random.default_rng(3), 20, 0.5)[:, None]))
    grid, curve, slope = flow_curves(time, energy)
    assert grid[0] == 0 and np.all(curve[:, 0] == 0)
    assert slope.shape == curve.shape == (20, 41)
    assert flow_scale_t0(time, energy).time.mean == pytest.approx(3, rel=0.02)


def test_a_flow_too_short_or_of_wrong_shape_is_refused():
    time = np.linspace(0, 1, 11)
    with pytest.raises(LqcdError, match="flow further"):
        flow_scale_t0(time, np.ones((8, 11)) * 0.1)
    with pytest.raises(LqcdError, match="expected"):
        flow_scale_t0(time, np.ones((8, 10)))
    with pytest.raises(LqcdError, match="increase"):
        flow_scale_w0(time[::-1], np.ones((8, 11)))
