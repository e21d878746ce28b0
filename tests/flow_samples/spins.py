"""Spin couplings of O(2), O(3) and O(4), in one to three dimensions and with every network and mask."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.spins import Spins
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.targets.scalar import SpinTarget

POINT, CNN = Convolutional(hidden=[6], kernel=1), Convolutional(hidden=[4], kernel=3, activation="silu")
SYMMETRIES = ("rotation", "z2", "translations by 2")


def _sample(components, shape, net, symmetries=SYMMETRIES, **keys):
    jacobian = keys.pop("jacobian", True)
    flow = Spins(**{"couplings": 4, "bins": 4, "vectors": 2, "kernel": 3, "net": net} | keys)
    return Sample(flow, SpinTarget(None, shape, 1.0, components), symmetries, jacobian=jacobian)


SAMPLES = [
    _sample(2, (4, 4), CNN),
    _sample(3, (4, 2), POINT, vectors=3, kernel=5),
    _sample(4, (4, 4), POINT, vectors=1, couplings=2),
    _sample(3, (4, 4), FullyConnected(hidden=[6]), ("rotation", "z2"), mask="halves"),
    _sample(2, (4, 4), CNN, mask="stripes"),
    _sample(3, (6,), POINT, ("rotation", "z2")),
    _sample(3, (3, 5), CNN, ("rotation", "z2")),
    _sample(2, (2, 4, 2), POINT, couplings=3),
    _sample(4, (12, 12), CNN, jacobian=False),
]
