"""Real phi^4 theory in the hopping form (M. Luescher and P. Weisz, Nucl. Phys. B 290 (1987) 25, beta = 2 kappa)."""

from __future__ import annotations

from ..description import description
from ..fields import kinds
from .scalar_action import Coefficients, ScalarDescription


@description
class Phi4Hopping(ScalarDescription):
    """S = sum_x [ -beta sum_mu phi(x) phi(x+mu) + phi^2 + lam (phi^2 - 1)^2 ].

    >>> from lqcd_hpc import Lattice, scalar
    >>> action = Phi4Hopping(beta=0.5, lam=0.25)
    >>> action.on(scalar.cold(Lattice((6, 6)), action.field_kind)).value()
    9.0
    """

    beta: float
    lam: float

    @property
    def field_kind(self):
        """One real number on every site."""
        return kinds.scalars()

    def coefficients(self, ndim):
        """phi^2 + lam (phi^2 - 1)^2 = lam + (1 - 2 lam) phi^2 + lam phi^4."""
        return Coefficients(self.beta, 1 - 2 * self.lam, self.lam, self.lam)
