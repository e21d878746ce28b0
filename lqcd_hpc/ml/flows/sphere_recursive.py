"""Recursive flows of spheres (2002.02428, "MS" with Moebius maps, "CS" with circular splines)."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ..flow import Flow
from ..layers.circle import MAPS, CircleMap
from ..layers.rational_quadratic import parameters as spline_parameters
from ..layers.rotation import Rotation
from ..layers.sphere_recursive import RecursiveSphere
from .one_sphere import dimensions


@description
class SphereRecursive:
    """`layers` maps of a sphere that change height after height by splines of `bins` bins and then the last angle, each
    conditioned on the ones before by `net`; between layers the axes change places.

    map : of the angle, "spline", "moebius" or "noncompact"; components : bins of its spline or terms of the mixture

    >>> from lqcd_hpc.ml.nets.fully_connected import FullyConnected
    >>> from lqcd_hpc.ml.targets.sphere_modes import SphereModes
    >>> flow = SphereRecursive(layers=1, bins=32, map="moebius", components=12, net=FullyConnected(hidden=[32]))
    >>> flow.on(SphereModes(kappa=10.0)).prior.shape
    (3,)
    """

    layers: PositiveInt
    bins: PositiveInt
    map: CircleMap
    components: PositiveInt
    net: Any

    def on(self, target):
        """The flow to a density of one unit vector; raises `LqcdError` for other variables."""
        n = dimensions(target, "sphere_recursive")
        layers, circle_map = [], MAPS[self.map](self.components)
        for number in range(self.layers):
            layers += [Rotation()] if number else []
            nets = [
                self.net.on((1,), k, spline_parameters(self.bins, "free"), event=n * number + k) for k in range(n - 2)
            ]
            nets.append(self.net.on((1,), n - 2, circle_map.outputs, event=n * number + n - 2))
            layers.append(RecursiveSphere(nets, circle_map))
        return Flow(target.prior, layers)
