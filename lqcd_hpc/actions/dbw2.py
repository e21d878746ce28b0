"""Doubly blocked Wilson action in two-coupling space (hep-lat/9906033 with hep-lat/0211023)."""

from __future__ import annotations

from ..description import description
from .gauge_description import GaugeDescription, with_rectangles


@description
class DBW2(GaugeDescription):
    """S = beta [(1 - 8 c1) sum_plaquettes + c1 sum_rectangles] (1 - Re tr W/Nc) with c1 = -1.4088.

    >>> DBW2(beta=2.6).loops(2)[0][0]
    (1, 2, -1, -2)
    """

    beta: float

    def loops(self, ndim):
        """Plaquettes and 2 x 1 rectangles with their coefficients."""
        return with_rectangles(ndim, -1.4088)
