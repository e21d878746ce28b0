"""What descriptions of Wilson fermions have in common: mass or kappa, phases, anisotropy."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveFloat, model_validator

from ..description import description


@description
class WilsonDescription:
    """kappa or mass m0 (one of them), boundary (1 or -1 per direction), twist angles, anisotropy.

    Hops have the weight c_mu: 1 in the last direction (time), nu/anisotropy in the others, and
    kappa = 1/(2 m0 + 2 sum_mu c_mu).
    """

    boundary: tuple[Literal[1, -1], ...]
    kappa: float | None = None
    mass: float | None = None
    twist: tuple[float, ...] | None = None
    anisotropy: PositiveFloat = 1.0
    nu: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _one_mass(self):
        if (self.kappa is None) == (self.mass is None):
            raise ValueError("give either kappa or mass")
        if self.kappa == 0:
            raise ValueError("kappa = 0 has no finite mass: choose another kappa, or give mass")
        return self

    def hop_weights(self, ndim):
        """c_mu."""
        return (self.nu / self.anisotropy,) * (ndim - 1) + (1.0,)

    def diagonal(self, ndim):
        """m0 + sum_mu c_mu = 1/(2 kappa)."""
        return self.mass + sum(self.hop_weights(ndim)) if self.kappa is None else 0.5 / self.kappa
