"""Continuous flows on square and oblong lattices, with all displacements and with near ones.

The determinant and the inverse are those of the equation of motion, up to the error of the integrator."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.continuous import Continuous
from lqcd_hpc.ml.targets.scalar import ScalarTarget

PHI4 = ScalarTarget(None, (3, 3), hopping=2.0, quadratic=0.0, quartic=8.0)
LONG = ScalarTarget(None, (4, 2), hopping=2.0, quadratic=0.0, quartic=8.0)
SYMMETRIES = ("z2", "translations by 1")

SAMPLES = [
    Sample(Continuous(steps=24, frequencies=2, times=2), PHI4, SYMMETRIES, 1e-5, 1e-5),
    Sample(Continuous(steps=24, frequencies=1, times=3, reach=1), LONG, SYMMETRIES, 1e-5, 1e-5),
]
