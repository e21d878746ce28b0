"""Mixtures of von Mises-Fisher densities on the sphere S^2, with a known integral (the target of 2002.02428)."""

from __future__ import annotations

from math import log, sinh

import torch

from ...description import description
from ..priors import UniformSphere

FOUR_MODES = ((0.7, 1.5), (-1.0, 1.0), (0.6, 5.0), (-0.7, 4.0))


@description
class SphereModes:
    """p(x) ~ sum_k e^{kappa x.mu_k} of unit vectors x in three dimensions; log Z = log(K sinh(kappa)/kappa).

    `centres` are [latitude, longitude] of the mu_k; those of 2002.02428 by default (whose third longitude, printed 0.5,
    is 5 in its figures). Densities are with respect to the normalised surface measure.

    >>> round(SphereModes(kappa=10.0).exact["log_z"], 6)
    8.390562
    """

    kappa: float
    centres: tuple[tuple[float, float], ...] = FOUR_MODES

    @property
    def prior(self):
        return UniformSphere((3,))

    def action(self, x):
        """S = -log p up to a constant, (batch,)."""
        return -torch.logsumexp(self.kappa * x @ self._directions(x).T, 1)

    def observables(self, x):
        """mode = number of the nearest centre, (batch,)."""
        return {"mode": (x @ self._directions(x).T).argmax(1).to(x.dtype)}

    def _directions(self, x):
        latitude, longitude = torch.tensor(self.centres, dtype=x.dtype, device=x.device).T
        ring = torch.cos(latitude)
        return torch.stack([ring * torch.cos(longitude), ring * torch.sin(longitude), torch.sin(latitude)], 1)

    @property
    def exact(self):
        """log_z."""
        return {"log_z": log(len(self.centres) * sinh(self.kappa) / self.kappa)}
