"""Gauge-equivariant coupling flows for U(1) in two dimensions."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..layers.circle import MAPS, CircleMap
from ..layers.plaquette_masks import Stripes
from ..layers.u1_coupling import CHANNELS, U1Coupling


@description
class Circular:
    """Couplings of U(1) plaquettes (2003.06413, 2101.08176), whose active rows visit every link in 8 layers.

    layers : couplings; map : "spline", "moebius" or "noncompact" maps of the circle; components : bins of the
    spline or terms of the mixture; net : a network description, on the lattice of active links.

    Raises `LqcdError` for other groups, and for lattices that are not two-dimensional with extents multiples of 4.
    """

    layers: PositiveInt
    map: CircleMap
    components: PositiveInt
    net: Any

    def on(self, target):
        """The flow from independent uniform angles to the links of a target."""
        if getattr(target, "group", None) != "U(1)":
            raise LqcdError(
                "a circular flow moves U(1) links: give a U(1) gauge target, or use a spectral flow for SU(N)"
            )
        return Flow(target.prior, [self._layer(target.shape, number) for number in range(self.layers)])

    def _layer(self, shape, number):
        stripes, circle_map = Stripes(tuple(shape), number), MAPS[self.map](self.components)
        net = self.net.on(stripes.rows, CHANNELS, circle_map.outputs, event=number)
        return U1Coupling(stripes, net, circle_map)
