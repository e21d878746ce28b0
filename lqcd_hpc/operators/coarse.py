"""The Galerkin operator P^dag A P of an operator on blocks: matrices on the sites and hops of the coarse lattice."""

from __future__ import annotations

from ..errors import LqcdError
from ..fields.field import Field
from ..fields.launch import Kernel, foreign, in_, inout, prepare
from .block_stencil import BlockStencil, matrix_kind
from .links import hops


class CoarseOperator(BlockStencil):
    """out(x) = A_0(x) psi(x) + sum_d A_d(x) psi(x+d): what A does to the span of a `Transfer`'s basis.

    A is an operator whose hops have A_{-mu}(x) = gamma5 A_mu(x-mu)^dag gamma5 (Wilson fermions and what follows from
    them), with `forward_hop(mu, psi, out)` and `site_part(psi, out)`. It is made of these alone: the rest of the hops
    follows from the relation. It stays as it was made, also when the gauge field changes.

    Raises `LqcdError` for other operators.
    """

    def __init__(self, A, transfer):
        if not hasattr(A, "forward_hop"):
            raise LqcdError(f"{A!r} has no blocks: a Galerkin operator is made of Wilson and clover operators")
        self.operator, self.transfer = A, transfer
        super().__init__(transfer.coarse_vector())
        self._project()

    def _one_matrix(self):
        return Field(self.lattice, matrix_kind(1, self.size), self.precision)

    def _project(self):
        transfer, ndim = self.transfer, self.lattice.ndim
        site, inner, images = self._one_matrix(), self._one_matrix(), transfer.basis.like()
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

    def __repr__(self):
        return f"CoarseOperator({self.operator!r}, {self.transfer.basis.copies} vectors)"
