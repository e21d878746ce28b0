"""Gaussian flows with every spectrum, on even and odd extents and with components."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.gaussian import Gaussian
from lqcd_hpc.ml.targets.scalar import ScalarTarget

FREE = ScalarTarget(None, (4, 3), hopping=1.0, quadratic=2.5, quartic=0.0)
PHI4 = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
COMPLEX = ScalarTarget(None, (2, 4), hopping=2.0, quadratic=4.01, quartic=1.0, components=2)
SYMMETRIES = ("z2", "translations by 1")

SAMPLES = [
    Sample(Gaussian(spectrum="free"), FREE, SYMMETRIES),
    Sample(Gaussian(spectrum="massive"), PHI4, SYMMETRIES),
    Sample(Gaussian(spectrum="modes", mass2=0.5), COMPLEX, SYMMETRIES),
]
