"""Spline couplings with every network and mask; bounds small enough that some values lie in the tails."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.spline import Spline
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.targets.scalar import ScalarTarget

PHI4 = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
COMPLEX = ScalarTarget(None, (2, 4), hopping=2.0, quadratic=4.01, quartic=1.0, components=2)
CNN = Convolutional(hidden=[4], kernel=3)
ODD = Convolutional(hidden=[4], kernel=3, activation="tanh")
SHIFTS = "translations by 2"
UNEVEN = ScalarTarget(None, (3, 5), hopping=2.0, quadratic=0.0, quartic=8.0)

SAMPLES = [
    Sample(Spline(couplings=4, bins=5, bound=1.5, net=FullyConnected(hidden=[8])), PHI4),
    Sample(Spline(couplings=3, bins=8, bound=3.0, net=CNN, rescale=True), PHI4, (SHIFTS,)),
    Sample(Spline(couplings=2, bins=4, bound=2.0, net=ODD, z2=True), PHI4, (SHIFTS, "z2")),
    Sample(Spline(couplings=2, bins=4, bound=2.0, net=CNN, mask="stripes"), COMPLEX, (SHIFTS,)),
    Sample(Spline(couplings=3, bins=4, bound=2.0, net=ODD, z2=True), UNEVEN, ("z2",)),
    Sample(Spline(couplings=3, bins=4, bound=2.0, net=CNN, mask="stripes"), UNEVEN),
]
