"""Heatbath of gauge links by the kernels, with jumps between topological sectors if asked for."""

from __future__ import annotations

from typing import Literal

from pydantic import NonNegativeInt, PositiveInt

from ...description import description
from ...errors import LqcdError
from ...sampling.heatbath import HeatbathSweeps
from .instantons import jump
from .updates import update_sampler


@description
class Heatbath:
    """A heatbath sweep and `overrelaxation` microcanonical sweeps per state (sampling/heatbath.py), and with
    `instantons` one proposal of +-1 instanton: U(1) in two dimensions then moves between topological sectors at any
    coupling.

    Chains begin with random links. Raises `LqcdError` for targets that are not gauge actions.

    >>> from lqcd_hpc.actions.wilson import Wilson
    >>> from lqcd_hpc.ml.targets import target
    >>> Heatbath(chains=4).on(target(Wilson(beta=1.0), (4, 4), "U(1)")).run(20, seed=1).steps
    5
    """

    overrelaxation: NonNegativeInt = 0
    method: Literal["auto", "creutz", "kennedy-pendleton"] = "auto"
    instantons: bool = False
    chains: PositiveInt = 16
    thermalisation: NonNegativeInt = 0

    def on(self, target, flow=None):
        """The sampler of this description."""
        if not hasattr(getattr(target, "description", None), "loops"):
            raise LqcdError(f"{target}: the heatbath updates gauge links; choose hmc or metropolis")
        update = HeatbathSweeps(overrelaxation=self.overrelaxation, method=self.method)
        also = jump(target) if self.instantons else None
        return update_sampler("heatbath", self, update, target, flow, also)
