"""Jumps between topological sectors of U(1) in two dimensions (Fucito and Solomon, Phys. Lett. B 134 (1984) 235; cf.
the winding steps of arXiv:2106.14234)."""

from __future__ import annotations

from math import prod

import torch

from ...errors import LqcdError
from ..priors import UniformAngles


def instanton(shape, dtype=torch.float64, device="cpu"):
    """Angles (2, y, x) whose plaquettes are all 2 pi/V: charge one.

    theta_x = -2 pi y/V, theta_y = 2 pi x/Lx on the last row y = Ly - 1 and 0 elsewhere (modulo 2 pi).
    """
    lx, ly = shape
    theta = torch.zeros((2, ly, lx), dtype=dtype, device=device)
    theta[0] = -2 * torch.pi / prod(shape) * torch.arange(ly, dtype=dtype, device=device)[:, None]
    theta[1, -1] = 2 * torch.pi / lx * torch.arange(lx, dtype=dtype, device=device)
    return theta


def jump(target):
    """An update (theta, noise) -> (theta, accepted): add +-1 instanton, accept with probability min(1, e^{-dS}).

    dS stays of order (2 pi)^2 beta/2V however deep the barrier between the sectors is.
    Raises `LqcdError` unless the target is U(1) in two dimensions.
    """
    if not (isinstance(target.prior, UniformAngles) and len(getattr(target, "shape", ())) == 2):
        raise LqcdError("instanton jumps are for U(1) in two dimensions: set instantons = false")

    def update(theta, noise):
        draws = noise.uniform(len(theta), (2,)).to(theta.dtype)
        sign = torch.where(draws[:, 0] < 0.5, 1.0, -1.0).to(theta.dtype)
        moved = theta + sign[:, None, None, None] * instanton(target.shape, theta.dtype, theta.device)
        accepted = torch.log(draws[:, 1]) < target.action(theta) - target.action(moved)
        return torch.where(accepted[:, None, None, None], moved, theta), accepted

    return update
