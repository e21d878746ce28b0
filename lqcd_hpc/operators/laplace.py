"""The gauge-covariant Laplacian on colour vectors or spinors."""

from __future__ import annotations

from typing import Literal

from ..description import description
from ..errors import LqcdError
from ..fields import kinds
from ..fields.domain import EVERYWHERE
from ..fields.launch import Kernel, in_, prepare
from .finish import STORE
from .gauge_operator import GaugeOperator
from .links import Storage, are_far, hops


@description
class Laplace:
    """-Delta + mass_squared:  (m^2 + 2 n) psi(x) - sum_mu [U_mu(x) psi(x+mu) + U_mu(x-mu)^dag psi(x-mu)].

    The sum is over the n `directions` given (None: all); spatial ones smear sources. Fields are colour vectors, or
    spinors if `spinors`.

    >>> Laplace(mass_squared=1.0, boundary=(1, 1, 1, 1), directions=(0, 1, 2)).directions
    (0, 1, 2)
    """

    mass_squared: float
    boundary: tuple[Literal[1, -1], ...]
    directions: tuple[int, ...] | None = None
    spinors: bool = False
    twist: tuple[float, ...] | None = None

    def on(self, U):
        """The operator on the gauge field U."""
        return LaplaceOperator(self, U)


class LaplaceOperator(GaugeOperator):
    """The operator of a `Laplace` description: Hermitian, positive if mass_squared > 0.

    Raises `LqcdError` if a direction does not exist.
    """

    def __init__(self, description, U, precision=None, storage=None):
        ndim, nc = U.lattice.ndim, U.kind.nc
        self.directions = tuple(range(ndim)) if description.directions is None else description.directions
        if not set(self.directions) <= set(range(ndim)) or len(set(self.directions)) < len(self.directions):
            raise LqcdError(f"directions = {list(self.directions)}: choose each of 0 .. {ndim - 1} at most once")
        if description.spinors and ndim not in (2, 4):
            raise LqcdError(f"spinors live in 2 or 4 dimensions, not {ndim}")
        kind = kinds.spinors(nc, ndim) if description.spinors else kinds.colour_vectors(nc)
        super().__init__(description, U, kind, precision, storage or Storage.smallest(nc))
        self.hermitian, self.semidefinite = description.mass_squared > 0, description.mass_squared >= 0

    def launches(self, psi, out, dagger=False, finish=STORE, numbers=None):
        reach, links, copies = hops(self.lattice.ndim), self.links, psi.copies
        arguments = in_("psi", reach), in_("links", self.links_reach), *finish.arguments
        vectors, bits = self.kind.reals // (2 * self.kind.nc), sum(1 << mu for mu in self.directions)
        constants = (*self.links_constants, copies, vectors, bits, finish.flags)
        kernel = Kernel(
            "laplace.h", "laplace", constants, arguments, reach,
            (("far", "i64"), ("hopping", "double"), ("own_mass", "double"), *finish.scalars),
            (self.phase_type,), finish.sums(copies),
        )  # fmt: skip
        fields = {"psi": psi, "links": links} | finish.fields(out)
        launch = prepare(kernel, EVERYWHERE, {"phases": self.phase_table}, numbers, **fields)
        own = self.description.mass_squared + 2 * len(self.directions)
        return [launch.set(far=are_far(links), hopping=-1.0, own_mass=own, **finish.values)]
