"""Mixtures of von Mises densities on circles and tori, with a known integral (the targets of 2002.02428)."""

from __future__ import annotations

from math import log

import torch

from ...description import description
from ...errors import LqcdError
from ..priors import UniformAngles


@description
class TorusModes:
    """p(theta) ~ sum_k e^{kappa sum_i cos(theta_i - c_ki)} of N angles; log Z = log K + N log I_0(kappa).

    `centres` are K lists of N angles; a circle is N = 1. Densities are with respect to d theta/2 pi.

    >>> TorusModes(centres=[[0.2], [2.0]], kappa=3.0).prior.shape
    (1,)
    """

    centres: list[list[float]]
    kappa: float

    def __post_init__(self):
        if len({len(centre) for centre in self.centres}) != 1 or not self.centres[0]:
            raise LqcdError("every centre of the modes needs the same number of angles, 1 or more")

    @property
    def prior(self):
        return UniformAngles((len(self.centres[0]),))

    def action(self, theta):
        """S = -log p up to a constant, (batch,)."""
        centres = torch.tensor(self.centres, dtype=theta.dtype, device=theta.device)
        return -torch.logsumexp(self.kappa * torch.cos(theta[:, None] - centres).sum(2), 1)

    def observables(self, theta):
        """mode = number of the nearest centre, (batch,)."""
        centres = torch.tensor(self.centres, dtype=theta.dtype, device=theta.device)
        return {"mode": torch.cos(theta[:, None] - centres).sum(2).argmax(1).to(theta.dtype)}

    @property
    def exact(self):
        """log_z."""
        bessel = torch.special.i0e(torch.tensor(self.kappa, dtype=torch.float64)).log() + abs(self.kappa)
        return {"log_z": log(len(self.centres)) + len(self.centres[0]) * float(bessel)}
