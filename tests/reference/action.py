"""Gauge actions as sums of closed loops, their forces, and a finite-difference force for any action."""

import itertools

import numpy as np

from .algebra import exp_i, generators, to_coefficients, traceless_antihermitian
from .paths import loop_trace, rectangle_steps, staple


def gauge_loops(dims, beta, c1=0.0):
    """[(weight, path)]: c0 beta for plaquettes mu < nu, c1 beta for rectangles mu != nu; c0 = 1 - 8 c1."""
    plaquettes = [rectangle_steps(mu, nu) for mu, nu in itertools.combinations(range(dims), 2)]
    loops = [((1 - 8 * c1) * beta, path) for path in plaquettes]
    if c1:
        pairs = itertools.permutations(range(dims), 2)
        loops += [(c1 * beta, rectangle_steps(mu, nu, 2, 1)) for mu, nu in pairs]
    return loops


def loop_action(links, loops):
    """S = sum_loops w sum_x (1 - Re tr W(x) / Nc)."""
    volume = np.prod(links.shape[1:-2])
    return float(sum(w * volume * (1 - loop_trace(links, path).real) for w, path in loops))


def gauge_action(links, beta, c1=0.0):
    """S = beta sum_x [c0 sum_{mu<nu} (1 - Re tr P / Nc) + c1 sum_{mu!=nu} (1 - Re tr R_{mu nu} / Nc)].

    R_{mu nu} is two links long along mu; c0 = 1 - 8 c1. c1 = 0 Wilson, -1/12 tree-level Symanzik,
    -0.331 Iwasaki, -1.4088 DBW2.
    """
    return loop_action(links, gauge_loops(len(links), beta, c1))


def loop_force(links, loops):
    """dP/dt = -T^a d^a S as hermitian matrices, shape of the links.

    With M = U_mu A_mu, d^a S = Im tr(T^a M) / Nc, because dU = i T^a U. Completeness of the generators gives
    T^a Im tr(T^a M) = TA(M) / 2i for SU(N), and TA(M) / i for U(1).
    """
    nc = links.shape[-1]
    norm = 1.0 if nc == 1 else 0.5
    loop_sum = np.array([u @ staple(links, mu, loops) for mu, u in enumerate(links)])
    return 1j * norm / nc * traceless_antihermitian(loop_sum)


def gauge_force(links, beta, c1=0.0):
    """dP/dt of the gauge action, hermitian matrices of the shape of the links."""
    return loop_force(links, gauge_loops(len(links), beta, c1))


def gauge_force_coefficients(links, beta, c1=0.0):
    """dP^a/dt = -d^a S, shape (mu, t, z, y, x, Nc^2 - 1)."""
    return to_coefficients(gauge_force(links, beta, c1))


def difference_force(action, links, link, step=1e-2):
    """-d^a S of one link by central differences, extrapolated (Richardson) from h, h/2 and h/4 to order h^6.

    ``action`` is any function of the links; ``link`` = (mu, t, z, y, x). Returns the Nc^2 - 1 coefficients.
    """

    def slope(generator, h):
        values = []
        for sign in (1, -1):
            moved = links.copy()
            moved[link] = exp_i(sign * h * generator) @ links[link]
            values.append(action(moved))
        return (values[0] - values[1]) / (2 * h)

    def richardson(generator):
        d1, d2, d4 = (slope(generator, step / k) for k in (1, 2, 4))
        first, second = (4 * d2 - d1) / 3, (4 * d4 - d2) / 3
        return (16 * second - first) / 15

    return -np.array([richardson(generator) for generator in generators(links.shape[-1])])
