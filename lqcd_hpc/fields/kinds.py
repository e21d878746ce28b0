"""Kinds of field: what lives on a site, and how it changes under a gauge transformation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from ..errors import LqcdError


@dataclass(frozen=True)
class Kind:
    """Component shape, number type and transformation law of a field.

    buffers : separately versioned parts, one per direction for links (1 otherwise)
    shape : components per site, e.g. (Nc, Nc)
    number : "complex" or "real"
    law : "link" g(x) U g(x+mu)^dag, "adjoint" g X g^dag, "vector" g psi, "scalar", "unit" (a scalar of length one)
    nc : colours (0 if the field has none)
    """

    name: str
    buffers: int
    shape: tuple[int, ...]
    number: str
    law: str
    nc: int = 0
    directions: bool = False

    @property
    def reals(self):
        """Real numbers per site, copy and buffer."""
        return prod(self.shape) * (2 if self.number == "complex" else 1)


def links(nc, ndim):
    """Gauge links U_mu(x), Nc x Nc.

    >>> links(3, 4).reals
    18
    """
    return Kind("links", ndim, (nc, nc), "complex", "link", nc, True)


def algebra(nc, ndim):
    """Coefficients p^a_mu(x) of H = p^a T^a (order of the generators: kernels/su.h), one set per link."""
    return Kind("algebra", ndim, (1 if nc == 1 else nc * nc - 1,), "real", "coefficients", nc, True)


def matrices(nc, buffers=1):
    """Nc x Nc matrices on sites: staples, transporters, gauge transformations."""
    return Kind("matrices", buffers, (nc, nc), "complex", "adjoint", nc, buffers > 1)


def spinors(nc, ndim):
    """Dirac spinors: 4 spins in 4 dimensions, 2 in 2.

    >>> spinors(3, 4).reals
    24
    """
    return Kind("spinors", 1, (4 if ndim == 4 else 2, nc), "complex", "vector", nc)


def colour_vectors(nc):
    """Nc complex numbers on sites: staggered fermions.

    >>> colour_vectors(3).reals
    6
    """
    return Kind("colour vectors", 1, (nc,), "complex", "vector", nc)


def scalars(buffers=1):
    """Real numbers on sites."""
    return Kind("scalars", buffers, (), "real", "scalar", 0, buffers > 1)


def complex_scalars():
    """A complex number on every site.

    >>> complex_scalars().reals
    2
    """
    return Kind("complex scalars", 1, (), "complex", "scalar")


def real_vectors(components):
    """Vectors of real numbers on sites."""
    return Kind("real vectors", 1, (components,), "real", "scalar")


def spins(components):
    """Unit vectors on sites: 2 components for the XY model, 3 for Heisenberg's.

    >>> spins(3).shape
    (3,)
    """
    return Kind("spins", 1, (components,), "real", "unit")


def colours(group):
    """Nc of "U(1)", "SU(2)", ..., "SU(10)".

    >>> colours("SU(3)")
    3
    """
    match = re.fullmatch(r"(S?)U\((\d+)\)", str(group))
    if match and (match[1] == "S") == (int(match[2]) > 1) and 1 <= int(match[2]) <= 9:
        return int(match[2])
    raise LqcdError(f'group = {group!r}: choose "U(1)", "SU(2)", "SU(3)" ... "SU(9)"')


def group_name(nc):
    """The name of the group of Nc x Nc links."""
    return "U(1)" if nc == 1 else f"SU({nc})"
