"""Vectors with one copy per component (spin and colour) of an operator's kind."""

from __future__ import annotations

from functools import cache
from math import prod

from ..errors import LqcdError
from ..fields.launch import Kernel, out, prepare


def components(kind):
    """Complex numbers per site: the columns of a propagator.

    >>> from lqcd_hpc.fields import kinds
    >>> components(kinds.spinors(3, 4))
    12
    """
    return prod(kind.shape)


def unit_columns(D, first, last):
    """Copy k is 1 in component k at the sites first <= number < last (x runs fastest), and 0 elsewhere."""
    b = D.vector(components(D.kind))
    prepare(_unit_columns(components(D.kind)), out=b)(first=first, last=last)
    return b


def site_number(lattice, position):
    """The number of a site (x runs fastest). Raises `LqcdError` if it lies outside."""
    place = f"source position {list(position)}"
    if len(position) != lattice.ndim:
        raise LqcdError(f"{place}: give {lattice.ndim} coordinates, x first")
    if not all(0 <= x < n for x, n in zip(position, lattice.shape)):
        raise LqcdError(f"{place} lies outside the lattice {lattice.shape}: coordinates count from 0")
    return sum(x * prod(lattice.shape[:mu]) for mu, x in enumerate(position))


@cache
def _unit_columns(size):
    return Kernel("sources.h", "unit_columns", (size,), (out("out"),), scalars=(("first", "i64"), ("last", "i64")))
