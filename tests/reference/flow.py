"""The gradient flow dV/dt = Z(V) V of a gauge action; Z = -TA(V_mu Staple_mu) for the Wilson action."""

import numpy as np

from .action import gauge_loops
from .algebra import exp_i, traceless_antihermitian
from .paths import staple


def flow_direction(links, c1=0.0):
    """Z_mu(x) = -TA(V_mu(x) Staple_mu(x)), anti-hermitian, shape of the links; c1 adds rectangles.

    For c1 = 0 this is minus the gradient of g0^2 S_W (Luescher, arXiv:1006.4518, eq. 1.4).
    """
    loops = gauge_loops(len(links), 1.0, c1)
    return -traceless_antihermitian(np.array([u @ staple(links, mu, loops) for mu, u in enumerate(links)]))


def exp_antihermitian(z):
    """exp(Z) of an anti-hermitian matrix."""
    return exp_i(-1j * z)


def euler_step(links, eps, c1=0.0):
    """V -> exp(eps Z(V)) V: also one stout step with rho = eps."""
    return exp_antihermitian(eps * flow_direction(links, c1)) @ links


def runge_kutta_step(links, eps, c1=0.0):
    """One step of the third-order scheme of Luescher, arXiv:1006.4518, eq. (C.2)."""
    w0 = links
    z0 = eps * flow_direction(w0, c1)
    w1 = exp_antihermitian(z0 / 4) @ w0
    z1 = eps * flow_direction(w1, c1)
    w2 = exp_antihermitian(8 / 9 * z1 - 17 / 36 * z0) @ w1
    z2 = eps * flow_direction(w2, c1)
    return exp_antihermitian(3 / 4 * z2 - 8 / 9 * z1 + 17 / 36 * z0) @ w2


def flow(links, eps, steps, step=runge_kutta_step, c1=0.0):
    """The links after ``steps`` steps of size ``eps``."""
    for _ in range(steps):
        links = step(links, eps, c1)
    return links
