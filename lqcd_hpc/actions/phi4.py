"""Real phi^4 theory with mass and self-coupling (lattice convention of arXiv:2101.08176)."""

from __future__ import annotations

from typing import Literal

from ..description import description
from ..fields import kinds
from .scalar_action import Coefficients, ScalarDescription


@description
class Phi4(ScalarDescription):
    """S = sum_x [ phi box phi + m2 phi^2 + lam phi^4 ] ("full"), box phi = 2d phi(x) - sum of the 2d neighbours.

    normalisation "half": S = sum_x [ phi box phi/2 + m2 phi^2/2 + lam phi^4 ], the usual continuum form.

    >>> from lqcd_hpc import Lattice, scalar
    >>> action = Phi4(m2=-4.0, lam=6.975, normalisation="full")
    >>> action.on(scalar.cold(Lattice((6, 6)), action.field_kind)).value()
    0.0
    """

    m2: float
    lam: float
    normalisation: Literal["full", "half"]

    @property
    def field_kind(self):
        """One real number on every site."""
        return kinds.scalars()

    def coefficients(self, ndim):
        """phi box phi = 2d phi^2 - 2 sum_mu phi(x) phi(x+mu)."""
        half = 1.0 if self.normalisation == "full" else 0.5
        return Coefficients(coupling=2 * half, square=half * (2 * ndim + self.m2), quartic=self.lam)
