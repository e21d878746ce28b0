"""What lattice targets share: sites in canonical order, neighbours, sums over sites."""

from __future__ import annotations

from math import prod

import torch


class LatticeTarget:
    """A target on a periodic lattice of `shape` (Lx, Ly, ...)."""

    @property
    def sites(self):
        """Extents in the order of the tensor: (..., y, x)."""
        return self.shape[::-1]

    @property
    def volume(self):
        """The number of sites."""
        return prod(self.shape)


def neighbour(field, mu, trailing=0, step=1):
    """field(x + step mu) of a tensor (..., t, z, y, x, *trailing axes), periodic.

    >>> neighbour(torch.arange(3.0), 0)
    tensor([1., 2., 0.])
    """
    return torch.roll(field, -step, -1 - mu - trailing)


def correlator(profile):
    """C(t) = sum_s m(s) m(s + t) of time-slice sums (batch, t), (batch, t)."""
    power = torch.fft.rfft(profile, dim=-1).abs() ** 2
    return torch.fft.irfft(power, n=profile.shape[-1], dim=-1)
