"""A Gaussian flow, then couplings."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.affine import Affine
from lqcd_hpc.ml.flows.gaussian import Gaussian
from lqcd_hpc.ml.flows.sequence import Sequence
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.targets.scalar import ScalarTarget

PHI4 = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
NET = Convolutional(hidden=[4], kernel=3, activation="tanh")

SAMPLES = [
    Sample(
        Sequence(parts=[Gaussian(spectrum="massive"), Affine(couplings=2, net=NET, z2=True)]),
        PHI4,
        ("z2", "translations by 2"),
    ),
]
