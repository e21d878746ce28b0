"""Affine coupling flows with every kind of network and mask."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.affine import Affine
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.targets.scalar import ScalarTarget

PHI4 = ScalarTarget(None, (4, 4), hopping=2.0, quadratic=0.0, quartic=8.0)
LONG = ScalarTarget(None, (12, 6), hopping=2.0, quadratic=0.0, quartic=8.0)
CUBE = ScalarTarget(None, (2, 2, 4), hopping=2.0, quadratic=2.0, quartic=4.0)
COMPLEX = ScalarTarget(None, (2, 4), hopping=2.0, quadratic=4.01, quartic=1.0, components=2)
CNN = Convolutional(hidden=[4], kernel=3)
ODD = Convolutional(hidden=[4], kernel=3, activation="tanh")
SHIFTS = "translations by 2"

SAMPLES = [
    Sample(Affine(couplings=4, net=FullyConnected(hidden=[8])), PHI4),
    Sample(Affine(couplings=4, net=CNN, rescale=True), PHI4, (SHIFTS,)),
    Sample(Affine(couplings=2, net=CNN, rescale=True), LONG, (SHIFTS,), jacobian=False),
    Sample(Affine(couplings=2, net=ODD, z2=True, rescale=True), PHI4, (SHIFTS, "z2")),
    Sample(Affine(couplings=2, net=FullyConnected(hidden=[8], activation="tanh"), z2=True), PHI4, ("z2",)),
    Sample(Affine(couplings=4, net=CNN, mask="stripes"), PHI4, (SHIFTS,)),
    Sample(Affine(couplings=3, net=FullyConnected(hidden=[6, 6]), mask="halves"), CUBE),
    Sample(Affine(couplings=2, net=CNN), CUBE, (SHIFTS,)),
    Sample(Affine(couplings=2, net=CNN, z2=False), COMPLEX, (SHIFTS,)),
    Sample(Affine(couplings=2, net=Convolutional(hidden=[], kernel=5, bias=False)), PHI4, (SHIFTS,)),
]
