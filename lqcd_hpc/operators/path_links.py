"""Products of links along paths, made once per gauge field: what convolutions transport with."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from pydantic import model_validator

from ..description import description
from ..errors import LqcdError
from ..fields.domain import Slice
from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, in_, inout, out, prepare
from ..paths.path import end, parse, reverse, write
from ..paths.program import PathProgram, Term
from .derived import derived
from .fermion_phases import phases_of


@description
class Transport:
    """Paths along which vectors are transported, T_p psi(x) = V_p(x) psi(x + d_p), and fermion phases.

    paths : steps such as "+x -t" ("": no step); boundary, twist : as for Dirac operators. V_p is the product of the
    links along p, with the phases of the ends of the lattice that it crosses.

    >>> Transport(paths=("", "+x", "-x"), boundary=(1, -1)).displacements
    ((0, 0), (1, 0), (-1, 0))
    """

    paths: tuple[str, ...]
    boundary: tuple[Literal[1, -1], ...]
    twist: tuple[float, ...] | None = None

    @model_validator(mode="after")
    def _distinct(self):
        steps = self.steps
        if not steps or len(set(steps)) < len(steps):
            raise ValueError(f"paths = {list(self.paths)}: give one or more paths, each of them once")
        longest = max((abs(s) for path in steps for s in path), default=1)
        if longest > len(self.boundary):
            raise ValueError(f"paths = {list(self.paths)}: the lattice has {len(self.boundary)} directions only")
        return self

    @property
    def steps(self):
        """The paths as tuples of steps (paths/path.py)."""
        return tuple(parse(path) for path in self.paths)

    @property
    def displacements(self):
        """d_p: from the beginning to the end of every path."""
        return tuple(end(path, len(self.boundary)) for path in self.steps)

    @property
    def reversed(self):
        """(order, transport): T_p^dag is T of path order[p] of `transport`, this one where that is possible."""
        back = [reverse(path) for path in self.steps]
        if set(back) == set(self.steps):
            return [self.steps.index(path) for path in back], self
        paths = tuple(write(path) for path in back)
        return list(range(len(back))), Transport(paths=paths, boundary=self.boundary, twist=self.twist)

    def links(self, U, precision):
        """V_p(x) of all paths with steps, in one buffer; None without any. Made anew when U has changed.

        Raises `LqcdError` if the phases do not fit the lattice.
        """
        phases = phases_of(self, U.lattice)
        walks = tuple(path for path in self.steps if path)
        if not walks:
            return None
        return derived(U, ("path links", walks, phases), precision, partial(_products, U, walks, phases))


def _products(U, walks, phases):
    """The field of V_p for these paths."""
    nc, zero = U.kind.nc, (0,) * U.lattice.ndim
    turned = with_phases(U, phases)
    program = PathProgram(U.lattice, [Term(k, 1.0, zero, path, path) for k, path in enumerate(walks)], False)
    arguments = in_("U", program.reach, per_buffer=True), out("links")
    tables = (("program", "int"),)
    sizes = nc, len(walks)
    kernel = Kernel("path_convolution.h", "path_links", sizes, arguments, program.displacements, tables=tables)
    links = Field(U.lattice, Kind("path links", 1, (len(walks), nc, nc), "complex", "none", nc), U.precision)
    prepare(kernel, tables={"program": program.words}, U=turned, links=links)()
    return links


def with_phases(U, phases):
    """The gauge field whose hops out of the lattice carry the phases."""
    turned = U
    for mu, phase in enumerate(phases):
        if phase == 1:
            continue
        turned = U.copy() if turned is U else turned
        arguments, scalars = (inout("U", writes=(mu,)),), (("re", "double"), ("im", "double"))
        kernel = Kernel("path_convolution.h", "turn_link", (U.kind.nc, mu), arguments, scalars=scalars)
        prepare(kernel, Slice(mu, U.lattice.shape[mu] - 1), U=turned)(re=phase.real, im=phase.imag)
    return turned


def hops(ndim):
    """The paths of no step and of one.

    >>> hops(2)
    ('', '+x', '-x', '+y', '-y')
    """
    return straight((1,), ndim)


def straight(lengths, ndim):
    """The path of no step, and straight ones of these lengths in both senses of every direction.

    >>> straight((1, 2), 2)[-4:]
    ('+y', '-y', '+y +y', '-y -y')
    """
    found = [write((sign * (mu + 1),) * n) for mu in range(ndim) for n in lengths for sign in (1, -1)]
    return ("", *found)


def walks(steps, ndim):
    """All paths of at most so many steps, none of which goes back.

    >>> len(walks(2, 2))
    17
    """
    found, layer = [()], [()]
    one = [sign * (mu + 1) for mu in range(ndim) for sign in (1, -1)]
    for _ in range(steps):
        layer = [(*path, s) for path in layer for s in one if not path or s != -path[-1]]
        found += layer
    return tuple(write(path) for path in found)


def doubled(extent):
    """The lengths 1, 2, 4, .. up to half the extent (arXiv:2602.23840).

    >>> doubled(16)
    (1, 2, 4, 8)
    """
    if extent < 2:
        raise LqcdError(f"an extent of {extent} has no half to go along")
    return tuple(2**k for k in range(int(np.log2(extent // 2)) + 1))
