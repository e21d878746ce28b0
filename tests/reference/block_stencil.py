"""Matrices on sites and hops as they are written: shifts by roll, products by einsum."""

import numpy as np


def shifts(dims):
    """No shift, then +mu, then -mu, for all directions x, y, ..; as numpy's roll of axes (.., y, x) wants them."""
    unit = np.eye(dims, dtype=int)[:, ::-1]
    return [(0,) * dims, *map(tuple, -unit), *map(tuple, unit)]


def displaced(psi, shift):
    """psi(x + d) of one vector psi[.., y, x, n]."""
    return np.roll(psi, shift, axis=tuple(range(len(shift))))


def apply(matrices, psi):
    """sum_d A_d(x) psi(x+d), with A[d, .., y, x, n, m]."""
    moved = [displaced(psi, shift) for shift in shifts(psi.ndim - 1)]
    return sum(np.einsum("...nm,...m->...n", a, v) for a, v in zip(matrices, moved))


def adjoint(matrices, psi):
    """sum_d A_d(x-d)^dag psi(x-d)."""
    turned = [np.einsum("...mn,...m->...n", np.conj(a), psi) for a in matrices]
    return sum(displaced(v, tuple(-s for s in shift)) for v, shift in zip(turned, shifts(psi.ndim - 1)))


def gradient(psi, slope):
    """slope(x) psi(x+d)^dag for every d."""
    moved = [displaced(psi, shift) for shift in shifts(psi.ndim - 1)]
    return np.array([np.einsum("...n,...m->...nm", slope, v.conj()) for v in moved])
