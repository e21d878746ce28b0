"""Scalar fields and spins: cold, hot, sums over sites, back to unit length."""

from __future__ import annotations

from functools import cache

import numpy as np

from ..errors import LqcdError
from ..lattice.displacements import nearest
from . import kinds
from .domain import EVERYWHERE
from .field import Field
from .launch import Kernel, in_, inout, out, prepare


def cold(lattice, kind, precision="double"):
    """The ordered start: scalars are 0, spins point along their first component.

    >>> from lqcd_hpc import Lattice
    >>> cold(Lattice((4, 4)), kinds.spins(3)).to_numpy()[0, 0]
    array([1., 0., 0.])
    """
    phi = Field(lattice, kind, precision)
    if is_unit(phi):
        values = np.zeros(phi.to_numpy().shape)
        values[..., 0] = 1
        phi.from_numpy(values)
    return phi


def hot(lattice, rng, kind, precision="double"):
    """Normal numbers of variance one in every real component; spins are uniform on the sphere.

    >>> from lqcd_hpc import Lattice, Random
    >>> hot(Lattice((4, 4), replicas=2), Random(1), kinds.complex_scalars()).to_numpy().shape
    (2, 4, 4)
    """
    phi = Field(lattice, kind, precision)
    prepare(_hot(phi.reals, is_unit(phi)), phi=phi)(key=rng.key())
    return phi


def normalise(s):
    """Bring spins back to unit length, in place.

    Returns the drift: the root mean square over sites of |s - s'|.
    """
    drift = prepare(_normalise(s.reals), phi=s)()["drift"]
    return np.sqrt(drift / s.lattice.volume)


def sums(phi, domain=EVERYWHERE):
    """The launch of the sums over the sites of a domain: `bond` phi(x).phi(x+mu) (over mu too), `phi2` |phi|^2,
    `phi4` |phi|^4, and `m0`, `m1`, ... the real components. Bonds that leave the lattice in an open direction do
    not count.

    >>> from lqcd_hpc import Lattice
    >>> sums(cold(Lattice((4, 4)), kinds.spins(2)))()
    {'bond': 32.0, 'phi2': 16.0, 'phi4': 16.0, 'm0': 16.0, 'm1': 0.0}
    """
    return prepare(_sums(phi.reals, phi.lattice.ndim, is_open(phi)), domain, **with_bonds(phi))


def check(phi, kind, what):
    """Raise `LqcdError` unless phi is of this kind."""
    if phi.kind != kind:
        raise LqcdError(f"{what} acts on {kind.name} of shape {kind.shape}, not on a {phi!r}")


def check_law(phi, what):
    """Raise `LqcdError` unless phi is a field of scalars or spins."""
    if phi.kind.law not in ("scalar", "unit"):
        raise LqcdError(f"{what} is for scalars and spins, not for a {phi!r}")


def is_unit(phi):
    """Whether the field is of unit length."""
    return phi.kind.law == "unit"


def is_open(phi):
    """Whether some direction is open, so that kernels need `bonds`."""
    return any(phi.lattice.is_open(mu) for mu in range(phi.lattice.ndim))


def with_bonds(phi):
    """The fields of a kernel that reads neighbours: phi, and where directions are open the bonds that exist."""
    return {"phi": phi, "bonds": _bonds(phi.lattice, phi.precision)} if is_open(phi) else {"phi": phi}


def reading_neighbours(argument, ndim, opened):
    """The arguments of such a kernel: `argument` is `in_` or `inout` of phi."""
    return (argument("phi", nearest(ndim)), *((in_("bonds"),) if opened else ()))


def _bonds(lattice, precision):
    """1 for every neighbour (+mu, then -mu) that exists, 0 for one beyond an open end."""
    key = ("bonds", precision)
    if key not in lattice.cache:
        field = Field(lattice, kinds.real_vectors(2 * lattice.ndim), precision)
        values = np.ones(field.to_numpy().shape)
        for mu in range(lattice.ndim):
            along = np.moveaxis(values, -2 - mu, 0)
            if lattice.is_open(mu) and lattice.rank_coords[mu] == lattice.ranks[mu] - 1:
                along[-1, ..., mu] = 0
            if lattice.is_open(mu) and lattice.rank_coords[mu] == 0:
                along[0, ..., lattice.ndim + mu] = 0
        lattice.cache[key] = field.from_numpy(values)
    return lattice.cache[key]


@cache
def _hot(n, unit):
    return Kernel("scalar.h", "scalar_hot", (n, int(unit)), (out("phi"),), scalars=(("key", "RandomKey"),))


@cache
def _normalise(n):
    return Kernel("scalar.h", "normalise", (n,), (inout("phi"),), sums=("drift",))


@cache
def _sums(n, ndim, opened):
    names = ("bond", "phi2", "phi4", *(f"m{k}" for k in range(n)))
    args = reading_neighbours(in_, ndim, opened)
    return Kernel("scalar.h", "scalar_sums", (n, ndim, int(opened)), args, nearest(ndim), sums=names)
