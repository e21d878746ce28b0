"""The log-det of an integrated flow carries the error of the scheme, below 1e-4 here."""

from flow_laws import Sample

from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.ml.flows.trivializing import Trivializing
from lqcd_hpc.ml.targets import target

SYMMETRIES = ("gauge", "translations by 1")


def _sample(group, shape, order, knots, jacobian=False):
    flow = Trivializing(order=order, knots=knots, steps=12)
    return Sample(flow, target(Wilson(beta=0.5), shape, group), SYMMETRIES, 1e-4, 1e-4, jacobian, scale=0.02)


SAMPLES = [
    _sample("U(1)", (4, 4), 1, 2, jacobian=True),
    _sample("SU(2)", (4, 4), 1, 2, jacobian=True),
    _sample("SU(3)", (4, 4), 1, 4),
    _sample("SU(2)", (3, 3, 3), 0, 2),
]
