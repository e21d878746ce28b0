"""Displacement lists in the order in which site functions count them (kernels/gauge.h, field_strength.h)."""

from __future__ import annotations

from functools import cache


def unit(ndim, mu, steps=1):
    """The displacement of `steps` sites in direction mu.

    >>> unit(3, 1, -2)
    (0, -2, 0)
    """
    return tuple(steps if nu == mu else 0 for nu in range(ndim))


def plus(a, b):
    """The sum of two displacements."""
    return tuple(x + y for x, y in zip(a, b))


@cache
def forwards(ndim):
    """+mu for every mu."""
    return tuple(unit(ndim, mu) for mu in range(ndim))


@cache
def nearest(ndim):
    """+mu for every mu, then -mu."""
    return forwards(ndim) + tuple(unit(ndim, mu, -1) for mu in range(ndim))


@cache
def star(ndim):
    """+mu, then -mu, then +mu-nu for every pair (zero where mu = nu)."""
    back = nearest(ndim)[ndim:]
    return nearest(ndim) + tuple(plus(f, b) for f in forwards(ndim) for b in back)


@cache
def clover(ndim):
    """`star`, then -mu-nu for every pair mu != nu (zero where mu = nu)."""
    zero = (0,) * ndim
    return star(ndim) + tuple(
        plus(unit(ndim, mu, -1), unit(ndim, nu, -1)) if mu != nu else zero for mu in range(ndim) for nu in range(ndim)
    )


@cache
def plaquette_reach(ndim):
    """What the plaquettes U_mu U_nu(+mu) U_mu(+nu)^dag U_nu^dag read, per direction of the link."""
    return tuple(tuple(unit(ndim, nu) for nu in range(ndim) if nu != mu) for mu in range(ndim))


@cache
def staple_reach(ndim, directions=None):
    """What the plaquette staples of the links in `directions` (None: all) read, per direction of the link."""
    reach = [set() for _ in range(ndim)]
    for mu in range(ndim) if directions is None else directions:
        for nu in range(ndim):
            if nu != mu:
                down = unit(ndim, nu, -1)
                reach[mu] |= {unit(ndim, nu), down}
                reach[nu] |= {unit(ndim, mu), down, plus(unit(ndim, mu), down)}
    return tuple(tuple(sorted(r)) for r in reach)
