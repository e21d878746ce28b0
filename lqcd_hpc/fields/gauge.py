"""Gauge fields: cold, hot, instanton; gauge transformations; projection back to the group."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..errors import LqcdError
from ..lattice.displacements import forwards
from . import kinds
from .field import Field
from .launch import Kernel, in_, inout, out, prepare


def unit(lattice, group="SU(3)", precision="double"):
    """The cold start U = 1. Links beyond an open end are zero.

    >>> from lqcd_hpc import Lattice
    >>> unit(Lattice((4, 4)), "U(1)").to_numpy().mean()
    np.complex128(1+0j)
    """
    nc = kinds.colours(group)
    U = Field(lattice, kinds.links(nc, lattice.ndim), precision)
    U.from_numpy(np.broadcast_to(np.eye(nc), U.to_numpy().shape))
    return close_open_ends(U)


cold = unit


def hot(lattice, rng, group="SU(3)", precision="double"):
    """Links drawn from the Haar measure."""
    nc = kinds.colours(group)
    U = Field(lattice, kinds.links(nc, lattice.ndim), precision)
    prepare(_random_group(nc, lattice.ndim), out=U)(key=rng.key())
    return close_open_ends(U)


def random_transformation(U, rng):
    """A gauge transformation g(x) drawn from the Haar measure, for the group of U."""
    g = U.like(kinds.matrices(U.kind.nc))
    prepare(_random_group(U.kind.nc, 1), out=g)(key=rng.key())
    return g


def transform(U, g):
    """U_mu(x) <- g(x) U_mu(x) g(x+mu)^dag, in place; returns U."""
    prepare(_transform(U.kind.nc, U.lattice.ndim), U=U, g=g)()
    return U


def reunitarise(U):
    """Project the links on the group by Gram-Schmidt, in place.

    Returns the drift: the root mean square over links of |U - U'|, |M|^2 = sum_ij |M_ij|^2.
    """
    lattice = U.lattice
    drift = prepare(_reunitarise(U.kind.nc, lattice.ndim), U=U)()["drift"]
    return np.sqrt(drift / (lattice.volume * lattice.ndim))


def link_trace(U):
    """The mean of Re tr U_mu(x) / Nc over all links."""
    total = prepare(_link_trace(U.kind.nc, U.lattice.ndim), U=U)()["re"]
    return total / (U.kind.nc * number_of_links(U.lattice))


def number_of_links(lattice):
    """Links of the lattice, those beyond open ends not counted."""
    return sum(
        lattice.volume - (lattice.volume // lattice.shape[mu] if lattice.is_open(mu) else 0)
        for mu in range(lattice.ndim)
    )


def unitarity_deviation(U):
    """The largest |(U U^dag - 1)_ij| over all links (absent links do not count; infinite if a link is not a number)."""
    u = U.to_numpy()
    defect = np.abs(u @ np.conj(np.swapaxes(u, -1, -2)) - np.eye(U.kind.nc)).max(axis=(-1, -2))
    absent = np.abs(u).max(axis=(-1, -2)) == 0
    largest = float(np.nan_to_num(np.where(absent, 0, defect), nan=np.inf).max())
    return U.lattice.comm.allreduce(largest, "max")


def close_open_ends(U):
    """Set the links that leave the lattice in open directions to zero; returns U."""
    lattice = U.lattice
    if not any(lattice.is_open(mu) for mu in range(lattice.ndim)):
        return U
    u = U.to_numpy()
    for mu in range(lattice.ndim):
        if lattice.is_open(mu) and lattice.rank_coords[mu] == lattice.ranks[mu] - 1:
            axis = u.ndim - 3 - mu  # (..., mu, ..., z, y, x, Nc, Nc)
            direction = u.ndim - 3 - lattice.ndim
            index = [slice(None)] * u.ndim
            index[axis], index[direction] = -1, mu
            u[tuple(index)] = 0
    return U.from_numpy(u)


def instanton(lattice, group="SU(2)", radius=None, precision="double"):
    """One instanton of SU(2) (in the upper corner for SU(Nc)), in singular gauge, centred between sites.

    A_mu^a = -2 rho^2 eta^a_{mu nu} x_nu/(x^2 (x^2 + rho^2)) (Belavin, Polyakov, Schwarz and Tyupkin, Phys. Lett. B
    59 (1975) 85), integrated exactly along every link; the periodic lattice cuts its tail. The topological charge
    tends to one in size for 1 << rho << L. Raises `LqcdError` unless the lattice has four dimensions and the group
    is SU(Nc).
    """
    nc = kinds.colours(group)
    if lattice.ndim != 4 or nc == 1:
        raise LqcdError("an instanton needs four dimensions and SU(2) or larger")
    radius = radius or min(lattice.shape) / 4
    U = Field(lattice, kinds.links(nc, 4), precision)
    u = np.zeros((4, *lattice.local_shape[::-1], nc, nc), complex)
    u[...] = np.eye(nc)
    grids = np.meshgrid(*[o + np.arange(n) for o, n in zip(lattice.origin, lattice.local_shape)], indexing="ij")
    for mu in range(4):
        x = [g.T - (n - 1) / 2 for g, n in zip(grids, lattice.shape)]
        u[mu, ..., :2, :2] = _instanton_link(x, mu, radius)
    return close_open_ends(U.from_numpy(np.broadcast_to(u, U.to_numpy().shape)))


def _instanton_link(x, mu, radius):
    """exp(i int A_mu) along the links that begin at x (a list of four arrays).

    Along a link only s = x_mu changes: the integrand is eta x_nu times 1/(r^2 + s^2) - 1/(r^2 + rho^2 + s^2).
    """
    r = np.sqrt(sum(c * c for nu, c in enumerate(x) if nu != mu))
    strength = _angle(x[mu], r) - _angle(x[mu], np.sqrt(r * r + radius**2))
    b = [-2 * strength * sum(_eta(a, mu, nu) * x[nu] for nu in range(4)) for a in range(3)]
    size = np.sqrt(sum(c * c for c in b)) / 2
    f = np.sinc(size / np.pi) / 2
    link = np.empty((*r.shape, 2, 2), complex)
    link[..., 0, 0], link[..., 1, 1] = np.cos(size) + 1j * f * b[2], np.cos(size) - 1j * f * b[2]
    link[..., 0, 1], link[..., 1, 0] = f * (1j * b[0] + b[1]), f * (1j * b[0] - b[1])
    return link


def _angle(s, r):
    """The integral of 1/(r^2 + s^2) from s to s + 1."""
    return (np.arctan((s + 1) / r) - np.arctan(s / r)) / r


def _eta(a, mu, nu):
    """'t Hooft's symbol: eps_{a mu nu} for spatial mu, nu; +-delta with the time direction."""
    if mu == 3 or nu == 3:
        return 0 if mu == nu else int(a == nu) if mu == 3 else -int(a == mu)
    return int(np.linalg.det(np.eye(3)[[a, mu, nu]]).round())


@cache
def _random_group(nc, buffers):
    return Kernel("fill.h", "random_group", (nc, buffers), (out("out"),), scalars=(("key", "RandomKey"),))


@cache
def _transform(nc, ndim):
    args = (inout("U"), in_("g", forwards(ndim)))
    return Kernel("fill.h", "gauge_transform", (nc, ndim), args, forwards(ndim))


@cache
def _reunitarise(nc, ndim):
    return Kernel("exponential.h", "reunitarise", (nc, ndim), (inout("U"),), sums=("drift",))


@cache
def _link_trace(nc, ndim):
    return Kernel("fill.h", "link_trace", (nc, ndim), (in_("U"),), sums=("re", "im"))
