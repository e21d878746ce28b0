"""How a lattice is divided among ranks: all grids that divide it, and the one of least surface."""

from __future__ import annotations

from math import prod
from operator import index

from ..errors import LqcdError


def grids(shape, size):
    """All rank grids of `size` ranks that divide `shape`, least surface first.

    >>> grids((4, 4, 8), 2)
    [(1, 1, 2), (1, 2, 1), (2, 1, 1)]
    """
    found = [grid for grid in _factorisations(size, len(shape)) if all(n % r == 0 for n, r in zip(shape, grid))]
    return sorted(found, key=lambda grid: (surface(shape, grid), grid))


def surface(shape, grid):
    """Sites that one rank receives for a halo of depth one: 2 V_local sum_{mu split} 1/l_mu."""
    local = [n // r for n, r in zip(shape, grid)]
    return sum(2 * prod(local) // n for n, r in zip(local, grid) if r > 1)


def choose_grid(shape, size, wanted=None):
    """The grid asked for, or the one of least surface.

    Raises `LqcdError` naming the valid grids if the wanted one does not fit.
    """
    valid = grids(shape, size)
    if wanted is None:
        if not valid:
            raise LqcdError(f"a lattice {_x(shape)} cannot be divided over {size} ranks: {_sizes_hint(shape, size)}")
        return valid[0]
    try:
        wanted = tuple(index(n) for n in wanted)
    except TypeError:
        raise LqcdError(f"ranks = {wanted!r}: give one number of ranks per direction, such as {valid[:1]}") from None
    if wanted in valid:
        return wanted
    if len(wanted) != len(shape) or any(r < 1 for r in wanted):
        problem = f"needs {len(shape)} positive numbers"
    elif prod(wanted) != size:
        problem = f"has {prod(wanted)} ranks but the job runs {size}"
    else:
        problem = f"does not divide {_x(shape)}"
    listed = ", ".join(_x(grid) for grid in valid[:12]) or f"none; {_sizes_hint(shape, size)}"
    raise LqcdError(f"rank grid {_x(wanted)} {problem}; valid grids for {size} ranks: {listed}")


def _sizes_hint(shape, size):
    sizes = [n for n in range(1, 2 * size + 1) if grids(shape, n)]
    return "numbers of ranks that work: " + ", ".join(map(str, sizes))


def _x(shape):
    return "x".join(map(str, shape))


def _factorisations(n, parts):
    if parts == 1:
        yield (n,)
        return
    for first in range(1, n + 1):
        if n % first == 0:
            for rest in _factorisations(n // first, parts - 1):
                yield (first, *rest)
