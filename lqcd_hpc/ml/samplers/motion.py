"""Momenta and free motion of a batch, by where its variables live: numbers and angles, SU(Nc), spheres.

The same conventions as the kernels (sampling/motion.py): density exp(-p^2/2), for links exp(-tr P^2).
"""

from __future__ import annotations

import torch

from ...errors import LqcdError
from ..priors import Haar, Normal, UniformSphere, haar


def motion_of(prior, integrator):
    """The motion of variables of a prior; raises `LqcdError` for an integrator that does not suit it."""
    if isinstance(prior, UniformSphere):
        if any(name == "G" for name, _ in integrator.step):
            raise LqcdError("the force-gradient integrator does not suit spheres: choose omf4")
        return Spheres()
    return Links() if isinstance(prior, Haar) else Flat()


def first_states(prior, chains, noise):
    """Where Markov chains begin: real fields at zero, where no force is steep; angles, links and spins at random."""
    x = prior.sample(chains, noise)
    return torch.zeros_like(x) if isinstance(prior, Normal) else x


class Flat:
    """Numbers and angles: x <- x + eps p."""

    def momenta(self, x, noise):
        """Momenta from exp(-p^2/2)."""
        return noise.normal(len(x), x.shape[1:])

    def kinetic(self, p):
        """p^2/2, (batch,)."""
        return 0.5 * (p * p).flatten(1).sum(1)

    def force(self, x, gradient):
        """dp/dt from the gradient dS/dx."""
        return -gradient

    def drift(self, x, p, eps):
        """(x, p) after a time eps without force."""
        return x + eps * p, p

    def project(self, x):
        """x where rounding has not carried it away."""
        return x


class Links(Flat):
    """SU(Nc): U <- exp(i eps P) U with hermitian traceless P."""

    def momenta(self, x, noise):
        """P = p^a T^a with normal p^a."""
        a = torch.view_as_complex(noise.normal(len(x), (*x.shape[1:], 2)))
        return _traceless((a + a.mH) / 8**0.5)

    def kinetic(self, p):
        """tr P^2, (batch,)."""
        return (p.real**2 + p.imag**2).flatten(1).sum(1)

    def force(self, x, gradient):
        """-T^a d^a S, for dS = Re tr(G^dag dU): half the hermitian traceless part of U G^dag/i."""
        m = x @ gradient.mH
        return _traceless((m - m.mH) / 4j)

    def drift(self, x, p, eps):
        """exp(i eps P) U."""
        return torch.linalg.matrix_exp(1j * eps * p) @ x, p

    def project(self, x):
        """Back to the group by Gram-Schmidt."""
        return haar(torch.view_as_real(x))


class Spheres(Flat):
    """Unit vectors: s and p turn along the great circle of p."""

    def momenta(self, x, noise):
        """The part orthogonal to s of normal numbers."""
        return _tangent(x, noise.normal(len(x), x.shape[1:]))

    def force(self, x, gradient):
        """Minus the gradient along the sphere."""
        return -_tangent(x, gradient)

    def drift(self, x, p, eps):
        """s cos(eps |p|) + p/|p| sin(eps |p|), and p likewise."""
        speed = p.norm(dim=-1, keepdim=True)
        way = p / speed.clamp_min(torch.finfo(p.dtype).tiny)
        cosine, sine = torch.cos(eps * speed), torch.sin(eps * speed)
        return x * cosine + way * sine, speed * (way * cosine - x * sine)

    def project(self, x):
        """Unit length."""
        return torch.nn.functional.normalize(x, dim=-1)


def _tangent(s, v):
    return v - (v * s).sum(-1, keepdim=True) * s


def _traceless(h):
    trace = torch.diagonal(h, dim1=-2, dim2=-1).sum(-1)
    return h - trace[..., None, None] / h.shape[-1] * torch.eye(h.shape[-1], dtype=h.dtype, device=h.device)
