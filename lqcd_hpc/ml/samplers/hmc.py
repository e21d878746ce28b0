"""Plain hybrid Monte Carlo by the kernels."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

from ...description import description
from ...sampling.hmc import Trajectories
from .updates import update_sampler


@description
class HMC:
    """Trajectories of length tau of every chain, accepted with probability min(1, e^{-dH}) each (sampling/hmc.py).

    Chains begin with fields at zero, or links and spins at random. Raises `LqcdError` for a target without kernels.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> hmc = HMC(steps=6, tau=1.0, integrator="2mn", chains=4)
    >>> hmc.on(target(Wilson(beta=1.0), (4, 4), "U(1)")).run(20, seed=1).steps
    5
    """

    steps: PositiveInt
    tau: PositiveFloat
    integrator: Literal["leapfrog", "2mn", "omf4", "force-gradient"]
    chains: PositiveInt = 16
    thermalisation: NonNegativeInt = 0

    def on(self, target, flow=None):
        """The sampler of this description."""
        update = Trajectories(steps=self.steps, tau=self.tau, integrator=self.integrator)
        return update_sampler("hmc", self, update, target, flow)
