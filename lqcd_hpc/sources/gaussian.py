"""A point source with Gaussian smearing (Jacobi or Wuppertal smearing, hep-lat/9303009)."""

from __future__ import annotations

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from ..description import description
from ..operators.laplace import Laplace
from .columns import site_number, unit_columns


@description
class Gaussian:
    """b = (1 + width^2/(4 steps) Delta)^steps of a point source, Delta the covariant Laplacian of space.

    For many steps this is exp(width^2 Delta / 4): a Gaussian exp(-r^2/width^2). Chroma calls it GAUGE_INV_GAUSSIAN with
    wvf_param = width, wvfIntPar = steps. The links of space are those of the gauge field itself. Fewer steps than
    3 width^2/2 (in four dimensions) enhance the shortest waves.
    """

    position: tuple[NonNegativeInt, ...]
    width: PositiveFloat
    steps: PositiveInt

    def time(self, lattice):
        """The time slice of the source."""
        site_number(lattice, self.position)
        return self.position[-1]

    def on(self, D):
        """The source for the operator D."""
        number = site_number(D.lattice, self.position)
        return lambda: smeared(D, unit_columns(D, number, number + 1), self.width, self.steps)


def smeared(D, b, width, steps):
    """(1 + width^2/(4 steps) Delta)^steps b, Delta of all directions but the last with the phases of D."""
    space, weight = D.lattice.ndim - 1, width**2 / (4 * steps)
    boundary, twist, spinors = D.description.boundary, D.description.twist, len(D.kind.shape) == 2
    minus_delta = Laplace(0.0, boundary, tuple(range(space)), spinors, twist).on(D.U)
    if D.precision != D.U.precision:
        minus_delta = minus_delta.to(D.precision)
    turn = b, D.vector(b.copies)
    launches = [minus_delta.launches(turn[k], turn[1 - k])[0] for k in (0, 1)]
    for step in range(steps):
        launches[step % 2](hopping=weight, own_mass=1 - 2 * space * weight)
    return turn[steps % 2]
