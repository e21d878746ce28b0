"""Exponential-map flows of spheres (2002.02428, "EMP" and "EMSRE")."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from ...description import description
from ..flow import Flow
from ..layers.exponential_map import ExponentialMap, PolynomialPotential, RadialPotential
from .one_sphere import dimensions


@description
class SphereExponential:
    """`layers` maps x' = exp_x(grad F(x)), each with a potential of its own.

    potential : "polynomial", F = m.x + x^T A x/2, or "radial", F = sum_i (a_i/b_i) e^{b_i (x.mu_i - 1)} of `terms`
        terms. Both are bounded so that the map can be inverted, which takes a few Newton steps.

    >>> from lqcd_hpc.ml.targets.sphere_modes import SphereModes
    >>> flow = SphereExponential(layers=24, potential="radial", terms=1).on(SphereModes(kappa=10.0))
    >>> sum(p.numel() for p in flow.parameters())
    120
    """

    layers: PositiveInt
    potential: Literal["polynomial", "radial"]
    terms: PositiveInt = 1

    def on(self, target):
        """The flow to a density of one unit vector; raises `LqcdError` for other variables."""
        n = dimensions(target, "sphere_exponential")
        return Flow(target.prior, [ExponentialMap(self._potential(n, k)) for k in range(self.layers)])

    def _potential(self, n, number):
        if self.potential == "polynomial":
            return PolynomialPotential(n, number)
        return RadialPotential(n, self.terms, number)
