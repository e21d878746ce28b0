"""Exact results of two-dimensional gauge theory, where plaquettes are independent but for one constraint.

With exp(beta Re tr U / N) = sum_r d_r c_r(beta) chi_r(U), the torus of V plaquettes has Z = sum_r c_r^V and
the infinite plane keeps the trivial representation alone (Migdal 1975; Gross and Witten 1980).
"""

import itertools

import numpy as np
from scipy.special import ive


def scaled_bessel(n, x):
    """exp(-x) I_n(x) and its derivative exp(-x) I_n'(x)."""
    return ive(n, x), (ive(n - 1, x) + ive(n + 1, x)) / 2


def plaquette_u1(beta, volume=None, modes=60):
    """<cos theta_p>: I_1 / I_0 on the plane, sum I_n^{V-1} I_n' / sum I_n^V on a torus of V."""
    if volume is None:
        return ive(1, beta) / ive(0, beta)
    bessel, slope = scaled_bessel(np.arange(-modes, modes + 1), beta)
    ratio = bessel / ive(0, beta)
    return np.sum(ratio ** (volume - 1) * slope) / np.sum(ratio**volume * ive(0, beta))


def susceptibility_u1(beta, volume=None, modes=60):
    """chi_t = <Q^2> / V with Q = sum theta_p / 2 pi; on the plane <(theta / 2 pi)^2>.

    On the torus of V = ``volume`` plaquettes it is -1/V times the second derivative at 0 of ln Z(vartheta),
    Z = sum_n J(n - vartheta / 2 pi)^V and J(s) = int dphi / 2 pi exp(beta cos phi) cos(s phi):
    chi_t = sum_n [J_n^{V-1} A_n - (V - 1) J_n^{V-2} B_n^2] / (4 pi^2 sum_n J_n^V), with A_n and B_n the same
    integrals of phi^2 cos(n phi) and phi sin(n phi).
    """
    node, weight = np.polynomial.legendre.leggauss(400)
    phi = np.pi * node
    weight = weight / 2 * np.exp(beta * (np.cos(phi) - 1))
    n = np.arange(1 if volume is None else modes + 1)[:, None]
    j, a = np.cos(n * phi) @ weight, (phi**2 * np.cos(n * phi)) @ weight
    if volume is None:
        return a[0] / j[0] / (4 * np.pi**2)
    b = (phi * np.sin(n * phi)) @ weight
    j, a, b = j / j[0], a / j[0], b / j[0]
    count = np.where(n[:, 0] == 0, 1, 2)
    top = count * (j ** (volume - 1) * a - (volume - 1) * j ** (volume - 2) * b**2)
    return np.sum(top) / np.sum(count * j**volume) / (4 * np.pi**2)


def plaquette_su2(beta):
    """I_2(beta) / I_1(beta) on the plane."""
    return ive(2, beta) / ive(1, beta)


def dimension(rows):
    """Dimension of the representation with row lengths l (Weyl): prod_{i<j} (l_i - l_j + j - i) / (j - i).

    >>> dimension((1, 0, 0)), dimension((2, 1, 0))
    (3, 8)
    """
    pairs = itertools.combinations(range(len(rows)), 2)
    return round(np.prod([(rows[i] - rows[j] + j - i) / (j - i) for i, j in pairs]))


def character_coefficient(rows, beta, charges=40):
    """(d_r c_r, its derivative in beta), both times exp(-beta).

    d_r c_r is the integral of chi_r(U) exp(beta Re tr U / N): sum_q det_{ij} I_{l_j - j + i + q}(beta / N).
    The term q = 0 alone is the U(N) integral, the sum over q makes it that of SU(N).
    """
    nc, x = len(rows), beta / len(rows)
    i = np.arange(nc)
    q = np.arange(-charges, charges + 1)[:, None, None]
    bessel, slope = scaled_bessel(np.asarray(rows)[None, :] - i[None, :] + i[:, None] + q, x)
    value = np.linalg.det(bessel).sum()
    derivative = 0.0
    for row in range(nc):
        replaced = bessel.copy()
        replaced[:, row] = slope[:, row]
        derivative += np.linalg.det(replaced).sum() / nc
    return value, derivative


def plaquette_sun(nc, beta, volume=None, boxes=12):
    """<Re tr P / N> of SU(N): d ln c_0 / d beta on the plane, sum_r c_r^{V-1} c_r' / sum_r c_r^V on a torus.

    V = ``volume`` plaquettes; representations are summed up to a first row of ``boxes`` boxes.
    """
    trivial, slope = character_coefficient((0,) * nc, beta)
    if volume is None:
        return slope / trivial
    top = bottom = 0.0
    for rows in itertools.product(range(boxes + 1), repeat=nc - 1):
        if list(rows) == sorted(rows, reverse=True):
            value, slope = character_coefficient((*rows, 0), beta)
            norm = dimension((*rows, 0)) * trivial
            top += (value / norm) ** (volume - 1) * slope / norm
            bottom += (value / norm) ** volume
    return top / bottom
