"""Paths as data for the path kernels (kernels/path.h), and the kernels themselves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ..fields import kinds
from ..fields.field import Field
from ..fields.launch import Kernel, in_, inout, out
from .path import extent, links


@dataclass(frozen=True)
class Term:
    """coefficient * product of links along `path`, which starts at x + start; it adds to output `group`.

    `loop` is the closed loop that it belongs to (for the weights of open boundaries).
    """

    group: int
    coefficient: float
    start: tuple[int, ...]
    path: tuple[int, ...]
    loop: tuple[int, ...]


class PathProgram:
    """Terms in the form that kernels read, for the lattice of a gauge field.

    `weighted`: loops that lie in an end slice of an open direction count 1/2, as actions want; without it they count
    like all others, as observables want.
    """

    def __init__(self, lattice, terms, weighted=True):
        self.lattice = lattice
        ndim = lattice.ndim
        self.terms = sorted(terms, key=lambda t: t.group)
        self.groups = max(t.group for t in terms) + 1
        walks = [links(t.path, t.start, ndim) for t in self.terms]
        self.displacements = tuple(sorted({position for walk in walks for _, position, _ in walk}))
        number = {d: k for k, d in enumerate(self.displacements)}
        zero = (0,) * ndim
        reach = [{p for walk in walks for mu, p, _ in walk if mu == nu and p != zero} for nu in range(ndim)]
        self.reach = tuple(tuple(sorted(r)) for r in reach)
        words = []
        for term, walk in zip(self.terms, walks):
            words += [term.group, len(walk), self._slices(term)]
            words += [number[p] << 4 | mu << 1 | dagger for mu, p, dagger in walk]
        self.words = np.array(words, np.int32)
        self.coefficients = np.array([t.coefficient for t in self.terms])
        self.weighted = weighted and any(lattice.is_open(mu) for mu in range(ndim))

    def _slices(self, term):
        flat = [mu for mu, n in enumerate(extent(term.loop, self.lattice.ndim)) if n == 0 and self.lattice.is_open(mu)]
        return sum(1 << mu for mu in flat)

    @property
    def tables(self):
        return {"program": self.words, "coefficients": self.coefficients}

    @property
    def scalars(self):
        return {"groups": self.groups, "paths": len(self.terms)}

    def fields(self, U):
        """The fields that path kernels read: U, and slice weights where boundaries are open."""
        return {"U": U, "weights": slice_weights(self.lattice, U.precision)} if self.weighted else {"U": U}

    def kernel(self, name, nc, sums=()):
        """The kernel "path_sum" (output field `staple`) or "path_trace" (named sums) for this program."""
        args = (in_("U", self.reach, per_buffer=True),)
        args += (in_("weights"),) if self.weighted else ()
        args += (out("staple"),) if name == "path_sum" else ()
        return Kernel(
            "path.h",
            name,
            (nc, int(self.weighted)),
            args,
            self.displacements,
            scalars=(("groups", "i64"), ("paths", "i64")),
            tables=(("program", "int"), ("coefficients", "double")),
            sums=sums,
        )


def slice_weights(lattice, precision):
    """Weights of loops that lie within a slice of an open direction: 1/2 on its two ends, 1 elsewhere.

    They make the classical continuum action come out with its full value at the boundary (arXiv:1206.2809, section 2).
    """
    key = ("slice weights", precision)
    if key not in lattice.cache:
        field = Field(lattice, kinds.scalars(4), precision)
        values = np.ones(field.to_numpy().shape)
        for mu in range(lattice.ndim):
            if lattice.is_open(mu):
                x = np.arange(lattice.local_shape[mu]) + lattice.origin[mu]
                w = np.where((x == 0) | (x == lattice.shape[mu] - 1), 0.5, 1.0)
                axis = values.ndim - 1 - mu
                shape = [-1 if a == axis else 1 for a in range(values.ndim)]
                shape = shape[1 + (lattice.replicas > 1) :]
                values[(slice(None),) * (lattice.replicas > 1) + (mu,)] *= w.reshape(shape)
        lattice.cache[key] = field.from_numpy(values)
    return lattice.cache[key]


@cache
def staple_force_kernel(nc, ndim):
    """P <- keep P + weight TA(U staple)/i."""
    args = (in_("U"), in_("staple"), inout("P"))
    return Kernel("path.h", "staple_force", (nc, ndim), args, scalars=(("weight", "double"), ("keep", "double")))
