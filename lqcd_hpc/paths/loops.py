"""The usual closed loops, and their traces on a gauge field."""

from __future__ import annotations

from ..fields.launch import prepare
from .path import check_loop, parse
from .program import PathProgram, Term


def plaquettes(ndim):
    """One plaquette per plane mu < nu."""
    return [(a, b, -a, -b) for b in range(2, ndim + 1) for a in range(1, b)]


def rectangles(ndim):
    """The planar 2 x 1 rectangles, both orientations of every plane."""
    pairs = [(a, b) for a in range(1, ndim + 1) for b in range(1, ndim + 1) if a != b]
    return [(a, a, b, -a, -a, -b) for a, b in pairs]


def rectangle(a, b, n, m):
    """The n x m loop in the directions +a, +b (steps as in path.py).

    >>> rectangle(1, 2, 2, 1)
    (1, 1, 2, -1, -1, -2)
    """
    return (a,) * n + (b,) * m + (-a,) * n + (-b,) * m


def loop_traces(U, groups):
    """Sums over the lattice of tr(loop)/Nc for groups of loops: a list of complex numbers (arrays over replicas).

    Loops that leave the lattice in an open direction give zero; all others count fully.

    >>> from lqcd_hpc import Lattice, gauge
    >>> loop_traces(gauge.unit(Lattice((4, 4)), "SU(2)"), [["+x +y -x -y"]])
    [(16+0j)]
    """
    lattice, nc = U.lattice, U.kind.nc
    zero = (0,) * lattice.ndim
    terms = []
    for g, loops in enumerate(groups):
        for loop in loops:
            loop = check_loop(parse(loop), lattice.ndim)
            terms.append(Term(g, 1 / nc, zero, loop, loop))
    program = PathProgram(lattice, terms, weighted=False)
    names = tuple(f"{part}{g}" for g in range(len(groups)) for part in ("re", "im"))
    launch = prepare(program.kernel("path_trace", nc, names), tables=program.tables, **program.fields(U))
    sums = launch(**program.scalars)
    return [sums[f"re{g}"] + 1j * sums[f"im{g}"] for g in range(len(groups))]
