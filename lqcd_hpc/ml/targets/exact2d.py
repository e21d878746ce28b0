"""What is known exactly of the Wilson action in two dimensions: one-plaquette integrals, on a periodic lattice."""

from __future__ import annotations

from math import log, prod

import numpy as np
from scipy.special import ive

from ...fields.kinds import colours

NEGLIGIBLE = 1e-9  # of the volume terms that are left out for SU(N)
POINTS = 4096


def exact_values(target):
    """plaquette and log_z of S = beta sum_x (1 - Re tr P/Nc) with beta > 0, for U(1) also q and chi_q; else empty.

    >>> from types import SimpleNamespace
    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> u1 = SimpleNamespace(description=Wilson(beta=2.0), shape=(8, 8), group="U(1)")
    >>> {name: round(value, 8) for name, value in exact_values(u1).items()}
    {'plaquette': 0.69777466, 'log_z': -75.26441334, 'q': 0.0, 'chi_q': 0.01936405}
    """
    description, nc = target.description, colours(target.group)
    if len(target.shape) != 2 or type(description).__name__ != "Wilson" or not description.beta > 0:
        return {}
    volume = prod(target.shape)
    return _u1(description.beta, volume) if nc == 1 else _sun(description.beta, nc, volume)


def _u1(beta, volume):
    """Z = sum_n I_n(beta)^V; <Q^2> from Z(theta) = sum_n J(n + theta/2pi)^V, J(nu) = int dphi/2pi e^{beta cos phi}
    cos(nu phi), at theta = 0 (all with e^{-beta} taken out)."""
    n = np.arange(-40, 41)[:, None]
    weights = ive(np.abs(n[:, 0]), beta)
    top = weights / weights.max()
    z = (top**volume).sum()
    slope = 0.5 * (ive(np.abs(n[:, 0] - 1), beta) + ive(np.abs(n[:, 0] + 1), beta))
    phi = (np.arange(POINTS) + 0.5) * 2 * np.pi / POINTS - np.pi
    density = np.exp(beta * (np.cos(phi) - 1)) / POINTS / weights.max()
    first, second = -(density * phi * np.sin(n * phi)).sum(1), -(density * phi**2 * np.cos(n * phi)).sum(1)
    bend = volume * (volume - 1) * top ** (volume - 2) * first**2 + volume * top ** (volume - 1) * second
    return {
        "plaquette": float((weights / weights.max()) ** (volume - 1) @ slope / weights.max() / z),
        "log_z": float(volume * log(weights.max()) + log(z)),
        "q": 0.0,
        "chi_q": float(-bend.sum() / z / (2 * np.pi) ** 2 / volume),
    }


def _sun(beta, nc, volume):
    """<Re tr P/Nc> and log Z of independent plaquettes; other representations add O(<P>^V): it must be negligible."""
    step = 1e-4 * max(1.0, beta)
    plaquette = (_one_plaquette(beta + step, nc) - _one_plaquette(beta - step, nc)) / (2 * step) + 1
    if 2 * volume * plaquette**volume > NEGLIGIBLE:
        return {}
    return {"plaquette": float(plaquette), "log_z": float(volume * _one_plaquette(beta, nc))}


def _one_plaquette(beta, nc):
    """log int dU e^{-beta (1 - Re tr U/Nc)} = log sum_k det I_{k+i-j}(beta/Nc) - beta."""
    k = np.arange(-30, 31)[:, None, None]
    i = np.arange(nc)
    matrices = ive(np.abs(k + i[:, None] - i), beta / nc)
    return log(np.linalg.det(matrices).sum())
