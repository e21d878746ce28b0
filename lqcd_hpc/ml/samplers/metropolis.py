"""Local Metropolis by the kernels."""

from __future__ import annotations

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from ...description import description
from ...sampling.metropolis import MetropolisSweeps
from .updates import update_sampler


@description
class Metropolis:
    """Sweeps with `hits` proposals of size `width` for every variable (sampling/metropolis.py).

    Chains begin with fields at zero, or links and spins at random. Raises `LqcdError` for a target without kernels.

    >>> from lqcd_hpc.actions.phi4 import Phi4
    >>> from lqcd_hpc.ml.targets import target
    >>> phi4 = target(Phi4(m2=-4.0, lam=8.0, normalisation="full"), (4, 4))
    >>> Metropolis(width=0.5, chains=4).on(phi4).run(20, seed=1).steps
    5
    """

    width: PositiveFloat
    hits: PositiveInt = 1
    overrelaxation: NonNegativeInt = 0
    chains: PositiveInt = 16
    thermalisation: NonNegativeInt = 0

    def on(self, target, flow=None):
        """The sampler of this description."""
        update = MetropolisSweeps(width=self.width, hits=self.hits, overrelaxation=self.overrelaxation)
        return update_sampler("metropolis", self, update, target, flow)
