"""Scalar and spin models in torch: nearest-neighbour coupling plus a potential at each site."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi

import torch

from ..priors import Normal, UniformSphere
from .lattice import LatticeTarget, neighbour


@dataclass(frozen=True)
class ScalarTarget(LatticeTarget):
    """S = sum_x [ -hopping sum_mu phi(x) phi(x + mu) + V(phi(x)) ], V = quadratic phi^2 + quartic phi^4 + constant.

    phi (batch, t, z, y, x), or with `components` numbers per site (batch, components, t, z, y, x), phi^2 their sum of
    squares.
    """

    description: object
    shape: tuple[int, ...]
    hopping: float
    quadratic: float
    quartic: float
    constant: float = 0.0
    components: int | None = None
    group = None

    @property
    def prior(self):
        return Normal(self.sites if self.components is None else (self.components, *self.sites))

    def action(self, phi):
        """S, (batch,)."""
        near = sum(neighbour(phi, mu) for mu in range(len(self.shape)))
        square = phi * phi if self.components is None else (phi * phi).sum(1)
        kinetic = -self.hopping * (phi * near).flatten(1).sum(1)
        potential = (self.quadratic * square + self.quartic * square * square).flatten(1).sum(1)
        return kinetic + potential + self.constant * self.volume

    def observables(self, phi):
        """phi2 = <phi^2> per site, m2 = M^2/V with M = sum phi (all components), abs_m = |M|/V, (batch,) each."""
        phi = phi if self.components is not None else phi[:, None]
        total = phi.flatten(2).sum(2)
        square = (total * total).sum(1)
        return {
            "phi2": (phi * phi).flatten(1).sum(1) / self.volume,
            "m2": square / self.volume,
            "abs_m": square.sqrt() / self.volume,
        }


@dataclass(frozen=True)
class SpinTarget(LatticeTarget):
    """The O(N) model S = -beta sum_{x,mu} s(x).s(x + mu) of unit vectors (batch, t, z, y, x, N)."""

    description: object
    shape: tuple[int, ...]
    beta: float
    components: int
    group = None

    @property
    def prior(self):
        return UniformSphere((*self.sites, self.components))

    def action(self, s):
        """S, (batch,)."""
        near = sum(neighbour(s, mu, trailing=1) for mu in range(len(self.shape)))
        return -self.beta * (s * near).flatten(1).sum(1)

    def observables(self, s):
        """energy = -sum s.s'/V and m2 = M^2/V, (batch,) each."""
        total = s.flatten(1, -2).sum(1)
        return {
            "energy": self.action(s) / (self.beta * self.volume),
            "m2": (total * total).sum(1) / self.volume,
        }


def scalar_target(description, shape):
    """The torch form of a description with `coefficients(ndim)`, which its kernels have too."""
    kind, c = description.field_kind, description.coefficients(len(shape))
    if kind.law == "unit":
        return SpinTarget(description, shape, c.coupling, kind.shape[0])
    components = 2 if kind.number == "complex" else None
    return ScalarTarget(description, shape, c.coupling, c.square, c.quartic, c.constant, components)


def free_log_z(shape, m2, half=True):
    """log Z of the free field: (V/2) log 2 pi - (1/2) sum_k log K(k), K = m2 + sum_mu 4 sin^2(k_mu/2), twice that
    without halves.

    >>> round(free_log_z((6, 6), 4.0), 8)
    -3.74064597
    """
    kernel = kinetic_spectrum(shape) + m2
    kernel = kernel if half else 2 * kernel
    return float(0.5 * (log(2 * pi) - kernel.log()).sum())


def kinetic_spectrum(shape):
    """sum_mu 4 sin^2(k_mu/2) for all momenta, in the order of torch.fft.fftn, (..., y, x)."""
    spectrum = torch.zeros((1,) * len(shape), dtype=torch.float64)
    for mu, extent in enumerate(shape):
        k = 2 * torch.pi * torch.arange(extent, dtype=torch.float64) / extent
        spectrum = spectrum + (4 * torch.sin(k / 2) ** 2).reshape([-1] + [1] * mu)
    return spectrum
