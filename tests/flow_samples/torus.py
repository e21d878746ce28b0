"""Couplings of angles: circles, tori and a lattice of angles, by every map of the circle."""

from flow_laws import Sample

from lqcd_hpc.ml.flows.torus import Torus
from lqcd_hpc.ml.nets.fully_connected import FullyConnected
from lqcd_hpc.ml.targets.torus_modes import TorusModes

CIRCLE = TorusModes(centres=[[0.5], [2.5]], kappa=3.0)
TORUS = TorusModes(centres=[[0.5, -1.0, 0.2], [2.5, 2.0, -2.0]], kappa=3.0)
NET = FullyConnected(hidden=[8])

SAMPLES = [
    Sample(Torus(couplings=1, map="spline", components=6, net=NET), CIRCLE),
    Sample(Torus(couplings=3, map="moebius", components=5, net=NET), CIRCLE, tolerance=1e-9),
    Sample(Torus(couplings=4, map="spline", components=6, net=NET), TORUS),
    Sample(Torus(couplings=2, map="moebius", components=5, net=NET), TORUS, tolerance=1e-9),
    Sample(Torus(couplings=2, map="noncompact", components=4, net=NET), TORUS, tolerance=1e-9),
]
