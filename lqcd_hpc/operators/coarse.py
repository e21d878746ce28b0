"""The Galerkin operator P^dag A P of an operator on blocks: matrices on the sites and hops of the coarse lattice."""

from __future__ import annotations

import numpy as np

from ..errors import LqcdError
from ..fields.field import Field
from ..fields.kinds import Kind
from ..fields.launch import Kernel, foreign, in_, inout, prepare
from .finish import STORE
from .links import hops
from .operator import LinearOperator


class CoarseOperator(LinearOperator):
    """out(x) = A_0(x) psi(x) + sum_d A_d(x) psi(x+d): what A does to the span of a `Transfer`'s basis.

    A is an operator whose hops have A_{-mu}(x) = gamma5 A_mu(x-mu)^dag gamma5 (Wilson fermions and what follows from
    them), with `forward_hop(mu, psi, out)` and `site_part(psi, out)`. It is made of these alone: the rest of the hops
    follows from the relation.

    Raises `LqcdError` for other operators.
    """

    def __init__(self, A, transfer):
        if not hasattr(A, "forward_hop"):
            raise LqcdError(f"{A!r} has no blocks: a Galerkin operator is made of Wilson and clover operators")
        self.operator, self.transfer = A, transfer
        self.lattice, self.kind, self.precision = transfer.aggregates.coarse, transfer.kind, transfer.basis.precision
        self.size = 2 * transfer.basis.copies
        self.matrices = self._matrices(2 * self.lattice.ndim + 1)
        self._project()

    @property
    def version(self):
        """It stays as it was made, also when the gauge field changes."""
        return 0

    def _matrices(self, terms):
        kind = Kind("coarse matrices", terms, (self.size, self.size), "complex", "none", directions=True)
        return Field(self.lattice, kind, self.precision)

    def _project(self):
        transfer, ndim = self.transfer, self.lattice.ndim
        site, inner, images = self._matrices(1), self._matrices(1), transfer.basis.like()
        for half, kept in transfer.halves():
            self.operator.site_part(kept, images)()
            self._add(images, half, site)
            for mu in range(ndim):
                self.operator.forward_hop(mu, kept, images)()
                self._add(images, half, inner, mu)
        reach = hops(ndim)
        needed = ((), *((d,) for d in reach[ndim:]), *((),) * ndim)
        written = (0, *range(1 + ndim, 1 + 2 * ndim))
        matrices = inout("matrices", needed, per_buffer=True, writes=written)
        arguments = (matrices, in_("inner"), in_("site"))
        kernel = Kernel("coarse.h", "complete_hops", (self.size, ndim), arguments, reach)
        prepare(kernel, matrices=self.matrices, inner=inner, site=site)()

    def _add(self, images, half, inner, mu=-1):
        """Add P^dag images to `inner` and to the hops +mu."""
        transfer = self.transfer
        aggregates = transfer.aggregates
        size = transfer.basis.kind.reals // 2
        kernel = Kernel(
            "aggregate.h", "galerkin", (size, transfer.basis.copies),
            (inout("outer", writes=(1 + max(mu, 0),)), inout("inner"), foreign("basis"), foreign("images")),
            scalars=tuple((name, "i64") for name in ("sites", "mu", "term", "half")),
            tables=(("members", "i64"), ("crossing", "i64")),
        )  # fmt: skip
        tables = {"members": aggregates.members, "crossing": aggregates.crossing}
        launch = prepare(kernel, tables=tables, outer=self.matrices, inner=inner, basis=transfer.basis, images=images)
        launch(sites=aggregates.sites, mu=mu, term=1 + max(mu, 0), half=half)

    def to(self, precision):
        if precision != self.precision:
            raise LqcdError(
                f"{self} is in {self.precision} precision only: make the operator it comes from in the other"
            )
        return self

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

    def dense(self):
        """The operator as one matrix (n, n) on the whole lattice, n = volume x 2 Nv, in canonical order of sites."""
        ndim, shape, size = self.lattice.ndim, self.lattice.shape[::-1], self.size
        blocks = self.matrices.to_numpy(gather=True).reshape(2 * ndim + 1, -1, size, size)
        sites = np.arange(blocks.shape[1])
        matrix = np.zeros((len(sites), size, len(sites), size), blocks.dtype)
        grid = sites.reshape(shape)
        for term, d in enumerate(((0,) * ndim, *hops(ndim))):
            neighbour = np.roll(grid, [-step for step in d[::-1]], axis=tuple(range(ndim))).reshape(-1)
            np.add.at(matrix, (sites, slice(None), neighbour), blocks[term])
        return matrix.reshape(len(sites) * size, -1)

    def __repr__(self):
        return f"CoarseOperator({self.operator!r}, {self.transfer.basis.copies} vectors)"
