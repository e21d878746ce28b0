"""Spectral flows of single matrices and of plaquettes; eight layers update every link."""

from flow_laws import Sample

from lqcd_hpc.actions.wilson import Wilson
from lqcd_hpc.ml.flows.spectral import Spectral
from lqcd_hpc.ml.nets.convolutional import Convolutional
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.targets import target
from lqcd_hpc.ml.targets.group_toy import GroupToy

NET = Convolutional(hidden=[4], kernel=3, activation="tanh")
SINGLE = FullyConnected(hidden=[4], activation="tanh")
SYMMETRIES = ("gauge", "translations by 4")

SAMPLES = [
    Sample(Spectral(layers=2, bins=4, net=SINGLE), GroupToy("SU(2)", 3.0, (1.0, -0.5))),
    Sample(Spectral(layers=2, bins=4, net=SINGLE), GroupToy("SU(3)", 3.0, (1.0, -0.5))),
    Sample(Spectral(layers=2, bins=4, net=SINGLE), GroupToy("SU(4)", 3.0, (1.0,))),
    Sample(Spectral(layers=3, bins=3, net=NET), target(Wilson(beta=2.0), (4, 4), "SU(2)")),
    Sample(Spectral(layers=1, bins=3, net=NET), target(Wilson(beta=2.0), (4, 4), "SU(3)")),
    Sample(Spectral(layers=8, bins=3, net=NET), target(Wilson(beta=2.0), (4, 8), "SU(2)"), SYMMETRIES, jacobian=False),
    Sample(Spectral(layers=8, bins=3, net=NET), target(Wilson(beta=2.0), (4, 8), "SU(3)"), SYMMETRIES, jacobian=False),
]
