"""Densities that can be drawn from at once: where flows begin.

A prior has `shape` (of one sample), `sample(count, noise)` and `log_prob(x)`, a number per sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi, prod

import torch


@dataclass(frozen=True)
class Normal:
    """Independent standard normal numbers: log p = -x^2/2 - log(2 pi)/2 each."""

    shape: tuple[int, ...]

    def sample(self, count, noise):
        """`count` samples, (count, *shape)."""
        return noise.normal(count, self.shape)

    def log_prob(self, x):
        """log p(x), (batch,)."""
        return -0.5 * (x * x).flatten(1).sum(1) - 0.5 * log(2 * pi) * prod(self.shape)


@dataclass(frozen=True)
class UniformAngles:
    """Independent angles in [-pi, pi); the density with respect to d theta/2 pi is 1."""

    shape: tuple[int, ...]

    def sample(self, count, noise):
        """`count` samples, (count, *shape)."""
        return 2 * pi * noise.uniform(count, self.shape) - pi

    def log_prob(self, x):
        """log p(x) = 0, (batch,)."""
        return x.new_zeros(len(x))


@dataclass(frozen=True)
class UniformSphere:
    """Independent unit vectors (the last axis); the density with respect to the normalised surface measure is 1."""

    shape: tuple[int, ...]

    def sample(self, count, noise):
        """`count` samples, (count, *shape)."""
        return torch.nn.functional.normalize(noise.normal(count, self.shape), dim=-1)

    def log_prob(self, x):
        """log p(x) = 0, (batch,)."""
        return x.new_zeros(len(x))


@dataclass(frozen=True)
class Haar:
    """Independent matrices of SU(Nc) (the last two axes) from the Haar measure; the density is 1."""

    shape: tuple[int, ...]

    def sample(self, count, noise):
        """`count` samples, (count, *shape), complex."""
        return haar(noise.normal(count, (*self.shape, 2)))

    def log_prob(self, x):
        """log p(x) = 0, (batch,)."""
        return x.real.new_zeros(len(x))


def haar(gaussian):
    """SU(Nc) matrices from the Haar measure, of normal numbers (..., Nc, Nc, 2).

    Q of Z = QR with the phases of R's diagonal taken away is Haar distributed in U(Nc) (math-ph/0609050); dividing one
    column by the determinant's phase gives SU(Nc).
    """
    q, r = torch.linalg.qr(torch.view_as_complex(gaussian))
    phases = torch.sgn(torch.diagonal(r, dim1=-2, dim2=-1))
    q = q * phases[..., None, :]
    first = q[..., :1] / torch.linalg.det(q)[..., None, None]
    return torch.cat([first, q[..., 1:]], dim=-1)
