"""Densities of a single SU(N) matrix with a potential of its eigenvalues, and what they give exactly."""

from __future__ import annotations

from functools import cached_property
from math import factorial, pi

import torch

from ...description import description
from ...errors import LqcdError
from ...fields.kinds import colours
from ..priors import Haar

POINTS = 256  # of the quadrature in each angle; exact to rounding for smooth potentials


@description
class GroupToy:
    """S(U) = -(beta/N) Re tr sum_n c_n U^n, with c_1, c_2, ... in `coefficients` (2008.05456, section IV).

    Samples are matrices (batch, N, N).

    >>> toy = GroupToy(group="SU(2)", beta=2.0, coefficients=[1.0])
    >>> round(toy.exact["trace"], 6)  # I_2(2)/I_1(2)
    0.433127
    """

    group: str
    beta: float
    coefficients: tuple[float, ...]

    def __post_init__(self):
        if colours(self.group) == 1:
            raise LqcdError('group = "U(1)": a single matrix of a spectral flow is one of SU(2), SU(3) ...')

    @property
    def prior(self):
        nc = colours(self.group)
        return Haar((nc, nc))

    def action(self, u):
        """S, (batch,)."""
        total, power = 0, None
        for c in self.coefficients:
            power = u if power is None else power @ u
            total = total + c * _trace(power)
        return -self.beta * total

    def observables(self, u):
        """trace = Re tr U/N, (batch,)."""
        return {"trace": _trace(u)}

    @cached_property
    def exact(self):
        """log_z and trace by Weyl's integral over eigenvalues, for N <= 4."""
        nc = colours(self.group)
        if nc > 4:
            raise LqcdError(f"the integral over eigenvalues of {self.group} is too large: exact values end at SU(4)")
        points = POINTS if nc < 4 else POINTS // 4
        free = torch.meshgrid([2 * pi * torch.arange(points, dtype=torch.float64) / points] * (nc - 1), indexing="ij")
        angles = torch.stack([*free, -sum(free)]).flatten(1)
        haar = torch.ones_like(angles[0]) / (factorial(nc) * points ** (nc - 1))
        for i in range(nc):
            for j in range(i):
                haar = haar * 4 * torch.sin((angles[i] - angles[j]) / 2) ** 2
        potential = sum(c * torch.cos((n + 1) * angles).mean(0) for n, c in enumerate(self.coefficients))
        weight = haar * torch.exp(self.beta * potential)
        z = weight.sum()
        return {"log_z": float(z.log()), "trace": float((weight * torch.cos(angles).mean(0)).sum() / z)}


def _trace(u):
    return torch.diagonal(u.real, dim1=-2, dim2=-1).mean(-1)
