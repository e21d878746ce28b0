"""The Wilson operator (K. G. Wilson, New Phenomena in Subnuclear Physics (1977) 69)."""

from __future__ import annotations

from ..description import description
from ..errors import LqcdError
from .dirac import MASS, DiracOperator, SiteTerm
from .wilson_description import WilsonDescription


@description
class Wilson(WilsonDescription):
    """D = m0 + sum_mu c_mu - H/2 (conventions: operators/dirac.py), with c_mu = 1 unless anisotropic.

    >>> from lqcd_hpc import Lattice, gauge
    >>> D = Wilson(kappa=0.125, boundary=(1, 1, 1, -1)).on(gauge.unit(Lattice((4, 4, 4, 4))))
    >>> D.apply(D.vector()).to_numpy().shape
    (4, 4, 4, 4, 4, 3)
    """

    def on(self, U):
        """The operator on the gauge field U."""
        return WilsonOperator(self, U)


class WilsonOperator(DiracOperator):
    """The operator of a `Wilson` description."""

    @property
    def diagonal(self):
        """m0 + sum_mu c_mu."""
        return self.description.diagonal(self.lattice.ndim)

    def site_term(self, dagger=False):
        return SiteTerm(MASS, self.diagonal)

    def inverse_site_term(self, dagger=False):
        if self.diagonal == 0:
            raise LqcdError(f"{self.description}: m0 + d = 0 makes the even-odd block singular; choose another mass")
        return SiteTerm(MASS, 1 / self.diagonal)
