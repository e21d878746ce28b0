"""Recursive maps of the circle, S^2 and S^3, by Moebius maps and splines."""

from dataclasses import dataclass

from flow_laws import Sample

from lqcd_hpc.ml.flows.sphere_recursive import SphereRecursive
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.priors import UniformSphere
from lqcd_hpc.ml.targets.sphere_modes import SphereModes

NET = FullyConnected(hidden=[8])


@dataclass(frozen=True)
class Tilt:
    """S = -x_0 - x_n^2 on a sphere of any dimension."""

    n: int

    @property
    def prior(self):
        return UniformSphere((self.n,))

    def action(self, x):
        return -x[:, 0] - x[:, -1] ** 2


SAMPLES = [
    Sample(
        SphereRecursive(layers=1, bins=6, map="moebius", components=4, net=NET), SphereModes(kappa=10.0), tolerance=1e-9
    ),
    Sample(SphereRecursive(layers=2, bins=6, map="spline", components=4, net=NET), SphereModes(kappa=10.0)),
    Sample(SphereRecursive(layers=2, bins=4, map="spline", components=4, net=NET), Tilt(4)),
    Sample(SphereRecursive(layers=1, bins=4, map="spline", components=4, net=NET), Tilt(2)),
]
