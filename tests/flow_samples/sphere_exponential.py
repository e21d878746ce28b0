"""Exponential maps of S^2 and S^3 with both potentials."""

from flow_laws import Sample

from flow_samples.sphere_recursive import Tilt
from lqcd_hpc.ml.flows.sphere_exponential import SphereExponential
from lqcd_hpc.ml.targets.sphere_modes import SphereModes

SAMPLES = [
    Sample(SphereExponential(layers=3, potential="radial", terms=4), SphereModes(kappa=10.0), tolerance=1e-9),
    Sample(SphereExponential(layers=3, potential="polynomial"), SphereModes(kappa=10.0), tolerance=1e-9),
    Sample(SphereExponential(layers=2, potential="polynomial"), Tilt(4), tolerance=1e-9),
]
