"""What descriptions of gauge actions have in common."""

from __future__ import annotations

from ..paths.loops import plaquettes, rectangles
from .gauge_action import GaugeAction


class GaugeDescription:
    """A description with `beta` and `loops(ndim)`, a list of (loop, coefficient)."""

    def on(self, U):
        """The action of this description on the gauge field U."""
        return GaugeAction(self, U)


def with_rectangles(ndim, c1):
    """Plaquettes with 1 - 8 c1 and rectangles with c1."""
    return [(p, 1 - 8 * c1) for p in plaquettes(ndim)] + [(r, c1) for r in rectangles(ndim)]
