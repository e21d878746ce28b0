"""Tree-level improved action (P. Weisz, Nucl. Phys. B 212 (1983) 1; Luescher and Weisz, Phys. Lett. B 158
(1985) 250)."""

from __future__ import annotations

from ..description import description
from .gauge_description import GaugeDescription, with_rectangles


@description
class Symanzik(GaugeDescription):
    """S = beta [(1 - 8 c1) sum_plaquettes + c1 sum_rectangles] (1 - Re tr W/Nc) with c1 = -1 / 12.

    >>> Symanzik(beta=2.6).loops(2)[0][0]
    (1, 2, -1, -2)
    """

    beta: float

    def loops(self, ndim):
        """Plaquettes and 2 x 1 rectangles with their coefficients."""
        return with_rectangles(ndim, -1 / 12)
