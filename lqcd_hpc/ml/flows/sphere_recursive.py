"""Recursive flows of spheres (2002.02428, "MS" with Moebius maps, "CS" with circular splines)."""

from __future__ import annotations

from typing import Any

from pydantic import PositiveInt

from ...description import description
from ..flow import Flow
from ..layers.circles import CircleMap, parameters
from ..layers.rational_quadratic import parameters as spline_parameters
from ..layers.rotation import Rotation
from ..layers.sphere_recursive import RecursiveSphere
from .one_sphere import dimensions


@description
class SphereRecursive:
    """`layers` maps of a sphere that change height after height by splines of `bins` bins and then the last angle, each
    conditioned on the ones before by `net`; between layers the axes change places.

    map : of the angle, "moebius" with `size` centres or "spline" with `size` bins

    >>> from lqcd_hpc.ml.nets.fully_connected import FullyConnected
    >>> from lqcd_hpc.ml.targets.sphere_modes import SphereModes
    >>> flow = SphereRecursive(layers=1, bins=32, map="moebius", size=12, net=FullyConnected(hidden=[32]))
    >>> flow.on(SphereModes(kappa=10.0)).prior.shape
    (3,)
    """

    layers: PositiveInt
    bins: PositiveInt
    map: CircleMap
    size: PositiveInt
    net: Any

    def on(self, target):
        """The flow to a density of one unit vector; raises `LqcdError` for other variables."""
        n = dimensions(target, "sphere_recursive")
        layers = []
        for number in range(self.layers):
            layers += [Rotation()] if number else []
            nets = [
                self.net.on((1,), k, spline_parameters(self.bins, "free"), event=n * number + k) for k in range(n - 2)
            ]
            nets.append(self.net.on((1,), n - 2, parameters(self.map, self.size), event=n * number + n - 2))
            layers.append(RecursiveSphere(nets, self.map))
        return Flow(target.prior, layers)
