"""The plaquette by its own kernel."""

from __future__ import annotations

from functools import cache

from ..fields.launch import Kernel, in_, prepare
from ..lattice.displacements import plaquette_reach, star


def planes(ndim):
    """Pairs mu < nu in the order of the kernel's sums.

    >>> planes(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    return [(mu, nu) for nu in range(1, ndim) for mu in range(nu)]


def plaquette_planes(U):
    """Sums over the lattice of Re tr U_{mu nu}/Nc, by plane (mu, nu)."""
    ndim = U.lattice.ndim
    sums = prepare(plaquette_kernel(U.kind.nc, ndim), U=U)()
    return {plane: sums[name(*plane)] / U.kind.nc for plane in planes(ndim)}


def name(mu, nu):
    """The name of the sum over a plane."""
    return f"plane{mu}{nu}"


@cache
def plaquette_kernel(nc, ndim):
    """Sums of Re tr U_{mu nu} by plane."""
    args = (in_("U", plaquette_reach(ndim), per_buffer=True),)
    names = tuple(name(*plane) for plane in planes(ndim))
    return Kernel("gauge.h", "plaquette", (nc, ndim), args, star(ndim), sums=names)
