"""Gaussian fields: a linear map that is diagonal in momentum space."""

from __future__ import annotations

import torch


class Spectrum(torch.nn.Module):
    """x(k) = z(k)/sqrt K(k): white noise becomes the field of covariance 1/K.

    log|det| = -(1/2) sum_k log K for every component. `inverse_propagator()` gives K,
    positive and even in k, in the order of torch.fft.fftn, (..., y, x).
    """

    def __init__(self, inverse_propagator):
        super().__init__()
        self.inverse_propagator = inverse_propagator

    def forward(self, z):
        return self._through(z, -0.5)

    def inverse(self, x):
        return self._through(x, 0.5)

    def _through(self, field, power):
        kernel = self.inverse_propagator()
        dims = tuple(range(-kernel.dim(), 0))
        half = kernel[..., : kernel.shape[-1] // 2 + 1]
        changed = torch.fft.irfftn(torch.fft.rfftn(field, dim=dims) * half**power, s=kernel.shape, dim=dims)
        copies = field[0].numel() // kernel.numel()
        return changed, (power * copies * kernel.log().sum()).expand(len(field))


class Fixed(torch.nn.Module):
    """A spectrum that is not learned."""

    def __init__(self, spectrum):
        super().__init__()
        self.register_buffer("spectrum", spectrum, persistent=False)

    def forward(self):
        return self.spectrum


class Massive(torch.nn.Module):
    """K(k) = e^a (khat^2 + e^b) with a, b learned: two numbers for any lattice."""

    def __init__(self, kinetic, hopping, mass2):
        super().__init__()
        self.register_buffer("kinetic", kinetic, persistent=False)
        self.logs = torch.nn.Parameter(torch.tensor([hopping, mass2], dtype=torch.float64).log())

    def forward(self):
        hopping, mass2 = self.logs.exp()
        return hopping * (self.kinetic + mass2)


class Modes(torch.nn.Module):
    """K(k) = e^{c(khat^2)}: a learned number for every value of khat^2 on the lattice, massive at first."""

    def __init__(self, kinetic, hopping, mass2):
        super().__init__()
        values, number = torch.unique(kinetic.round(decimals=9), return_inverse=True)
        self.register_buffer("number", number, persistent=False)
        self.logs = torch.nn.Parameter((hopping * (values + mass2)).log())

    def forward(self):
        return self.logs.exp()[self.number]
