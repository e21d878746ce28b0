"""The scales t0 and w0 of the gradient flow, in lattice units, with Gamma-method errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq

from ..errors import LqcdError
from .errors import Estimate, derived, estimate

LEVEL = 0.3


@dataclass(frozen=True)
class FlowScale:
    """Where a flow curve crosses its level.

    `time` is the crossing (t0, or w0^2), `scale` its square root (sqrt(t0), or w0), both in lattice units;
    `history` is the linearised value per configuration, whose mean is the crossing, for use in
    `errors.derived`.
    """

    time: Estimate
    scale: Estimate
    history: np.ndarray


def flow_scale_t0(time, energy, level=LEVEL):
    """t0 from t^2 <E(t)> = 0.3 at t = t0 (Luescher, arXiv:1006.4518).

    `time` has shape (n_t,) and increases, `energy` (n_cfg, n_t). Between flow times t^2 E is a cubic spline
    that starts from 0 at t = 0. Raises `LqcdError` if the curve does not reach the level or there are too few
    configurations.

    >>> t = np.linspace(0, 4, 41)
    >>> e = 0.3 / np.maximum(t, 1e-9) * np.random.default_rng(4).normal(1 / 3, 0.01, (100, 1))
    >>> str(flow_scale_t0(t, e).time)
    '3.0057(93)'
    """
    time, curve = _curve(time, energy)
    return _scale(time, curve, curve.derivative(), level, "t0", "t^2 E")


def flow_scale_w0(time, energy, level=LEVEL):
    """w0^2 from t d/dt (t^2 <E(t)>) = 0.3 at t = w0^2 (BMW, arXiv:1203.4469); shapes as `flow_scale_t0`.

    >>> t = np.linspace(0, 4, 41)
    >>> e = 0.1 / np.maximum(t, 1e-9) * np.random.default_rng(4).normal(1, 0.03, (100, 1))
    >>> round(flow_scale_w0(t, e).time.mean, 1)
    3.0
    """
    time, curve = _curve(time, energy)
    first, second = curve.derivative(), curve.derivative(2)

    def logarithmic(t):
        return np.expand_dims(t, -1) * first(t)

    def slope(t):
        return first(t) + np.expand_dims(t, -1) * second(t)

    return _scale(time, logarithmic, slope, level, "w0^2", "t d/dt t^2 E")


def flow_curves(time, energy):
    """The curves that define t0 and w0: (time, t^2 E, t d/dt t^2 E), the last two of shape (n_cfg, n_t)."""
    time, curve = _curve(time, energy)
    return time, curve(time).T, (time[:, None] * curve.derivative()(time)).T


def _curve(time, energy):
    time, energy = np.asarray(time, float), np.atleast_2d(np.asarray(energy, float))
    if time.ndim != 1 or energy.shape[1] != time.size:
        raise LqcdError(f"energy has shape {energy.shape}: expected (configurations, {time.size} flow times)")
    if time.size < 3 or time[0] < 0 or np.any(np.diff(time) <= 0):
        raise LqcdError("flow times must increase from 0 and be at least 3: measure the energy at more flow times")
    values = time**2 * energy
    if time[0] > 0:
        time, values = np.append(0.0, time), np.pad(values, ((0, 0), (1, 0)))
    return time, CubicSpline(time, values.T)


def _scale(time, curve, slope, level, name, label):
    crossing = _crossing(time, lambda t: curve(t).mean(axis=-1), level, label)
    history = crossing - (curve(crossing) - level) / slope(crossing).mean()
    return FlowScale(
        time=estimate(history, name),
        scale=derived(np.sqrt, history, name="w0" if name == "w0^2" else f"sqrt({name})"),
        history=history,
    )


def _crossing(time, mean_curve, level, label):
    values = mean_curve(time)
    above = np.flatnonzero((values[1:] >= level) & (values[:-1] < level))
    if not above.size:
        raise LqcdError(
            f"{label} does not cross {level:g}: it ends at {values[-1]:.3f} at flow time {time[-1]:g}; "
            "flow further to find this scale"
        )
    first = above[0]
    return brentq(lambda t: mean_curve(t) - level, time[first], time[first + 1], xtol=1e-14)
