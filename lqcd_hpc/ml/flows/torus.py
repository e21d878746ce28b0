"""Coupling flows of angles on circles and tori (2002.02428)."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ...errors import LqcdError
from ..flow import Flow
from ..layers.circle import MAPS, CircleMap
from ..layers.circle_coupling import CircleCoupling
from ..layers.coupling import couplings
from ..layers.masks import Mask
from ..priors import UniformAngles


@description
class Torus:
    """`couplings` maps of the circle of the two halves of the angles in turn, conditioned on the other half.

    map : "spline", "moebius" or "noncompact" maps of the circle; components : bins of the spline or terms of the
        mixture. A single angle has no other half: its maps are learned without condition.

    >>> from lqcd_hpc.ml.nets.fully_connected import FullyConnected
    >>> from lqcd_hpc.ml.targets.torus_modes import TorusModes
    >>> target = TorusModes(centres=[[0.0, 1.0]], kappa=2.0)
    >>> len(Torus(couplings=4, map="spline", components=8, net=FullyConnected(hidden=[16])).on(target).layers)
    1
    """

    couplings: PositiveInt
    map: CircleMap
    components: PositiveInt
    net: Any
    mask: Mask = "checkerboard"

    def on(self, target):
        """The flow to a density of angles; raises `LqcdError` for other variables."""
        if not isinstance(target.prior, UniformAngles):
            raise LqcdError(f'flow kind = "torus" maps angles: {target} has other variables')
        shape = target.prior.shape[::-1]
        circle_map = MAPS[self.map](self.components)

        def make(number, active, frozen):
            net = self.net.on(shape, 2, circle_map.outputs, read=frozen, write=active, event=number)
            return CircleCoupling(net, circle_map)

        return Flow(target.prior, couplings(self.mask, shape, self.couplings, make))
