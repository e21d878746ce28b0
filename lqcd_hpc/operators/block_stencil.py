"""Matrices on the sites and hops of a lattice of blocks: what Galerkin operators are, and learned coarse models."""

from __future__ import annotations

import numpy as np

from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, in_, out, prepare
from .finish import STORE
from .links import hops
from .operator import LinearOperator


class BlockStencil(LinearOperator):
    """out(x) = A_0(x) psi(x) + sum_d A_d(x) psi(x+d), with N x N matrices of every site, for itself and every hop.

    vector : a field like those it acts on, N complex numbers per site
    matrices : a field of `matrix_kind`; zero if none is given

    >>> from lqcd_hpc import Lattice
    >>> from lqcd_hpc.operators.aggregates import coarse_vectors
    >>> psi = Field(Lattice((4, 4)), coarse_vectors(1)).from_numpy(np.ones((4, 4, 2, 1)))
    >>> A = BlockStencil(psi)
    >>> A.matrices.from_numpy(np.broadcast_to(np.eye(2), (5, 4, 4, 2, 2))).kind.buffers
    5
    >>> np.allclose(A.apply(psi).to_numpy(), 5)
    True
    """

    local = True  # its weights are those of sites

    def __init__(self, vector, matrices=None):
        self.lattice, self.kind, self.precision = vector.lattice, vector.kind, vector.precision
        self.size = self.kind.reals // 2
        kind = matrix_kind(2 * self.lattice.ndim + 1, self.size)
        self.matrices = matrices or Field(self.lattice, kind, self.precision)

    @property
    def version(self):
        """Launches stay as they were prepared, also when the matrices change."""
        return 0

    @property
    def weights(self):
        """The matrices, as layers of networks call them."""
        return self.matrices

    def to(self, precision):
        if precision == self.precision:
            return self
        matrices = Field(self.lattice, self.matrices.kind, precision)
        matrices.assign(self.matrices)
        return BlockStencil(Field(self.lattice, self.kind, precision), matrices)

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        return [self._launch(psi, out, 0, 2 * self.lattice.ndim + 1, dagger, finish, numbers)]

    def forward_hop(self, mu, psi, out):
        """The launch of out(x) = A_mu(x) psi(x+mu)."""
        return self._launch(psi, out, 1 + mu, 2 + mu)

    def site_part(self, psi, out):
        """The launch of out = A_0 psi."""
        return self._launch(psi, out, 0, 1)

    def _launch(self, psi, target, first, last, dagger=False, finish=STORE, numbers=None):
        ndim, reach = self.lattice.ndim, hops(self.lattice.ndim)
        opposite = ((), *((d,) for d in reach[ndim:]), *((d,) for d in reach[:ndim])) if dagger else ()
        matrices = in_("matrices", opposite, per_buffer=True) if dagger else in_("matrices")
        kernel = Kernel(
            "coarse.h", "coarse", (self.size, ndim, psi.copies, int(dagger), finish.flags),
            (in_("psi", reach), matrices, *finish.arguments), reach,
            (("first", "i64"), ("last", "i64"), *finish.scalars), sums=finish.sums(psi.copies),
        )  # fmt: skip
        fields = {"psi": psi, "matrices": self.matrices} | finish.fields(target)
        return prepare(kernel, numbers=numbers, **fields).set(first=first, last=last, **finish.values)

    def gradient(self, psi, slope):
        """The launch whose call returns G_d(x) = sum slope(x) psi(x+d)^dag over right-hand sides, a field of matrices.

        It is dF/dRe A + i dF/dIm A of a real F with the gradient `slope` with respect to out = A psi.
        """
        reach, field = hops(self.lattice.ndim), self.matrices.like()
        kernel = Kernel(
            "coarse.h", "coarse_gradient", (self.size, self.lattice.ndim, psi.copies),
            (in_("psi", reach), in_("slope"), out("gradient")), reach,
        )  # fmt: skip
        launch = prepare(kernel, psi=psi, slope=slope, gradient=field)

        def found():
            launch()
            return field

        return found

    def gathered(self):
        """All matrices of the whole lattice, (1 + hops, sites, N, N), sites in canonical order."""
        return self.matrices.to_numpy(gather=True).reshape(2 * self.lattice.ndim + 1, -1, self.size, self.size)

    def dense(self):
        """The operator as one matrix (n, n) on the whole lattice, n = volume x N, in canonical order of sites."""
        blocks, size = self.gathered(), self.size
        sites = np.arange(blocks.shape[1])
        matrix = np.zeros((len(sites), size, len(sites), size), blocks.dtype)
        for term, neighbour in enumerate(neighbours(self.lattice.shape)):
            np.add.at(matrix, (sites, slice(None), neighbour), blocks[term])
        return matrix.reshape(len(sites) * size, -1)

    def __repr__(self):
        return f"BlockStencil of {self.size}x{self.size} matrices on {self.lattice!r}"


def matrix_kind(terms, size):
    """The kind of field that holds so many matrices of every site: for itself, and for its hops."""
    return Kind("coarse matrices", terms, (size, size), "complex", "none", directions=True)


def neighbours(shape):
    """The numbers of all sites, then of their neighbours +mu and -mu, in canonical order.

    >>> [n.tolist() for n in neighbours((3,))]
    [[0, 1, 2], [1, 2, 0], [2, 0, 1]]
    """
    ndim = len(shape)
    grid = np.arange(int(np.prod(shape))).reshape(shape[::-1])
    ways = ((0,) * ndim, *hops(ndim))
    return [np.roll(grid, [-step for step in d[::-1]], axis=tuple(range(ndim))).reshape(-1) for d in ways]
