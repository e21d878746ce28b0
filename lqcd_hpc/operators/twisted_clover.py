"""The twisted-mass operator with a clover term."""

from __future__ import annotations

from ..description import description
from .clover import Clover, CloverOperator, twisted_inverse
from .dirac import FULL, PACKED_TWISTED, SiteTerm


@description
class TwistedClover(Clover):
    """D = D_clover + i mu gamma5.

    >>> TwistedClover(kappa=0.14, csw=1.57, mu=0.003, boundary=(1, 1, 1, -1)).mu
    0.003
    """

    mu: float = 0.0

    def on(self, U):
        """The operator on the gauge field U."""
        return TwistedCloverOperator(self, U)


class TwistedCloverOperator(CloverOperator):
    """The operator of a `TwistedClover` description."""

    def site_term(self, dagger=False):
        blocks, mu = super().site_term().blocks, self.description.mu
        return SiteTerm(PACKED_TWISTED, twist=-mu if dagger else mu, blocks=blocks)

    def inverse_site_term(self, dagger=False):
        mu = self.description.mu
        if mu == 0:
            return super().inverse_site_term()
        return SiteTerm(FULL, blocks=twisted_inverse(self, -mu if dagger else mu))
