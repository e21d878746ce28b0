"""The Wilson plaquette action (K. G. Wilson, Phys. Rev. D 10 (1974) 2445)."""

from __future__ import annotations

from pydantic import PositiveFloat

from ..description import description
from ..paths.loops import plaquettes
from .gauge_description import GaugeDescription


@description
class Wilson(GaugeDescription):
    """S = beta sum_{x, mu<nu} c_{mu nu} (1 - Re tr U_{mu nu}(x)/Nc).

    c = 1; with a bare anisotropy xi, c = xi for planes with the last direction (time) and 1/xi for the others.

    >>> Wilson(beta=6.0)
    Wilson(beta=6.0, anisotropy=1.0)
    """

    beta: float
    anisotropy: PositiveFloat = 1.0

    def loops(self, ndim):
        """Plaquettes with their coefficients."""
        xi = self.anisotropy
        return [(p, 1.0 if xi == 1 else xi if p[1] == ndim else 1 / xi) for p in plaquettes(ndim)]
