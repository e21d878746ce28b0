"""Blocks of sites, and the maps between a lattice and the coarse one whose sites are the blocks.

A basis of Nv vectors spans a space on every block, each vector's halves (chiralities) by themselves. With P the
isometry from coarse vectors (2, Nv) to it, restriction is P^dag and prolongation P, so that P^dag P = 1.
"""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from ..fields.field import Field, layout_of
from ..fields.kinds import Kind
from ..fields.launch import Kernel, foreign, in_, inout, out, prepare


def coarse_vectors(count):
    """Vectors of 2 x `count` complex numbers on blocks: both halves of every basis vector.

    >>> coarse_vectors(20).shape
    (2, 20)
    """
    return Kind("coarse vectors", 1, (2, count), "complex", "none")


def basis_of(A, count):
    """A zero field of `count` vectors of an operator, as copies."""
    return Field(A.lattice, A.kind, A.precision, count)


class Aggregates:
    """The blocks of a lattice: `coarse`, and where their sites lie in memory.

    Raises `LqcdError` if the blocks do not divide the part of a rank, or the lanes do not hold whole blocks (take the
    lattice's `grained(block)` then).

    >>> from lqcd_hpc import Lattice
    >>> Aggregates(Lattice((8, 8)).grained((4, 4)), (4, 4), "single").coarse.shape
    (2, 2)
    """

    def __init__(self, lattice, block, precision):
        self.lattice, self.block, self.precision = lattice, tuple(block), precision
        self.coarse = lattice.coarse(self.block)
        self.fine_layout, self.coarse_layout = layout_of(lattice, precision), layout_of(self.coarse, precision)
        if any(n % b for n, b in zip(self.fine_layout.extents, self.block)):
            raise LqcdError(f"the lanes of {lattice} do not hold whole blocks of {self.block}")
        self.sites = int(np.prod(self.block))
        ndim = lattice.ndim
        offsets = np.indices(self.block[::-1]).reshape(ndim, -1)[::-1].T
        layout = self.coarse_layout
        places = (layout.coords * np.array(self.block))[:, None] + offsets[None]
        groups = np.repeat(layout.group_of_item, self.sites)
        members = self.fine_layout.items_at(groups, places.reshape(-1, ndim)).reshape(-1, self.sites)
        self.members = np.ascontiguousarray(members, np.int64)
        self.owners = np.empty(self.fine_layout.items, np.int64)
        self.owners[self.members] = np.arange(layout.items)[:, None]
        last = offsets == np.array(self.block) - 1
        self.crossing = np.ascontiguousarray((last << np.arange(ndim)).sum(axis=1), np.int64)


class Transfer:
    """P of a basis: a field whose copies are the vectors. Its halves are orthonormalised on every block, in place.

    Raises `LqcdError` for fields that have no halves, or if the vectors are linearly dependent on a block.
    """

    def __init__(self, aggregates, basis):
        size = basis.kind.reals // 2
        if size % 2:
            raise LqcdError(f"{basis.kind.name} of {size} components have no two chiralities to aggregate")
        if basis.copies > aggregates.sites * size // 2:
            raise LqcdError(
                f"{basis.copies} vectors cannot be independent on blocks of {aggregates.sites} sites with {size // 2} "
                "components of each chirality: take fewer vectors or larger blocks"
            )
        self.aggregates, self.basis = aggregates, basis
        self.kind = coarse_vectors(basis.copies)
        self._sizes = size, basis.copies
        self._orthonormalise()

    def _tables(self):
        return (("members", "i64"),), {"members": self.aggregates.members}

    def coarse_vector(self, copies=1):
        """A zero vector on the coarse lattice."""
        return Field(self.aggregates.coarse, self.kind, self.basis.precision, copies)

    def _orthonormalise(self):
        types, tables = self._tables()
        kernel = Kernel(
            "aggregate.h", "orthonormalise", self._sizes, (in_("site"), foreign("basis", "inout")),
            scalars=(("sites", "i64"),), tables=types, sums=("degenerate",),
        )  # fmt: skip
        launch = prepare(kernel, tables=tables, site=self.coarse_vector(), basis=self.basis)
        bad = np.sum(launch(sites=self.aggregates.sites)["degenerate"])
        if not bad == 0:
            raise LqcdError(
                f"the {self.basis.copies} vectors are linearly dependent or not finite on {bad:g} halves of blocks: "
                "take fewer vectors or larger blocks"
            )

    def restrict(self, fine, coarse):
        """The launch of coarse = P^dag fine."""
        types, tables = self._tables()
        kernel = Kernel(
            "aggregate.h", "restrict_vectors", (*self._sizes, fine.copies),
            (out("coarse"), foreign("basis"), foreign("fine")), scalars=(("sites", "i64"),), tables=types,
        )  # fmt: skip
        launch = prepare(kernel, tables=tables, coarse=coarse, basis=self.basis, fine=fine)
        return launch.set(sites=self.aggregates.sites)

    def prolong(self, coarse, fine, add=False):
        """The launch of fine = P coarse, or fine += P coarse."""
        target = inout("fine") if add else out("fine")
        kernel = Kernel(
            "aggregate.h", "prolong_vectors", (*self._sizes, fine.copies, int(add)),
            (in_("basis"), target, foreign("coarse")), tables=(("owners", "i64"),),
        )  # fmt: skip
        tables = {"owners": self.aggregates.owners}
        return prepare(kernel, tables=tables, basis=self.basis, fine=fine, coarse=coarse)

    def halves(self):
        """The basis with zeros in the place of one half, for both halves."""
        for half in (0, 1):
            kept = self.basis.like()
            kernel = Kernel("aggregate.h", "keep_half", (*self._sizes, half), (in_("in"), out("out")))
            prepare(kernel, **{"in": self.basis, "out": kept})()
            yield half, kept
