"""Residual flows of U(1), SU(2) and SU(3) in two to four dimensions."""

from flow_laws import Sample

from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.ml.flows.residual import Residual
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.targets import target

NET = Convolutional(hidden=[4], kernel=3, activation="tanh")
SYMMETRIES = ("gauge", "translations by 2")


def _sample(group, shape, layers, **keys):
    return Sample(Residual(layers, 0.8, NET), target(Wilson(beta=2.0), shape, group), SYMMETRIES, **keys)


SAMPLES = [
    _sample("U(1)", (4, 4), 8),
    _sample("U(1)", (2, 2, 2), 6),
    _sample("SU(2)", (4, 2), 4),
    _sample("SU(3)", (2, 2), 4),
    _sample("SU(3)", (2, 2, 2, 4), 8, jacobian=False),
]
