"""Complex phi^4 theory (C. Gattringer and T. Kloiber, arXiv:1206.2954, without chemical potential)."""

from __future__ import annotations

from ..description import description
from ..fields import kinds
from .scalar_action import Coefficients, ScalarDescription


@description
class ComplexPhi4(ScalarDescription):
    """S = sum_x [ eta |phi|^2 + lam |phi|^4 - sum_mu 2 Re phi*(x) phi(x+mu) ].

    eta = 2d + m^2. Momenta and forces are complex, their real parts those of Re phi, their imaginary parts those of
    Im phi.

    >>> from lqcd_hpc import Lattice, scalar
    >>> action = ComplexPhi4(eta=9.0, lam=1.0)
    >>> action.on(scalar.cold(Lattice((4, 4)), action.field_kind)).value()
    0.0
    """

    eta: float
    lam: float

    @property
    def field_kind(self):
        """One complex number on every site."""
        return kinds.complex_scalars()

    def coefficients(self, ndim):
        """2 Re phi* phi' = 2 phi.phi' of the real components."""
        return Coefficients(coupling=2.0, square=self.eta, quartic=self.lam)
