"""The twisted-mass operator of one flavour (Frezzotti, Grassi, Sint and Weisz, hep-lat/0101001)."""

from __future__ import annotations

from ..description import description
from ..errors import LqcdError
from .dirac import TWISTED, DiracOperator, SiteTerm
from .wilson_description import WilsonDescription


@description
class TwistedMass(WilsonDescription):
    """D = D_Wilson + i mu gamma5: the flavour with tau3 = 1; the other one has -mu.

    >>> TwistedMass(kappa=0.16, mu=0.01, boundary=(1, 1, 1, -1)).mu
    0.01
    """

    mu: float = 0.0

    def on(self, U):
        """The operator on the gauge field U."""
        return TwistedMassOperator(self, U)


class TwistedMassOperator(DiracOperator):
    """The operator of a `TwistedMass` description."""

    def site_term(self, dagger=False):
        mu = self.description.mu
        return SiteTerm(TWISTED, self.description.diagonal(self.lattice.ndim), -mu if dagger else mu)

    def inverse_site_term(self, dagger=False):
        a, mu = self.description.diagonal(self.lattice.ndim), self.description.mu
        square = a * a + mu * mu
        if square == 0:
            raise LqcdError(f"{self.description}: m0 + d = mu = 0 makes the even-odd block singular")
        return SiteTerm(TWISTED, a / square, (mu if dagger else -mu) / square)
