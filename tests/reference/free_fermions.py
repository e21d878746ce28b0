"""Exact results for fermions on unit links, from sums over the momenta of the finite lattice.

With psi(x + L_mu mu) = boundary[mu] psi(x) and boundary[mu] = exp(i theta_mu) the momenta are
p_mu = (2 pi n_mu + theta_mu) / L_mu.
"""

import numpy as np

from .dirac import coordinates
from .gammas import gammas


def momenta(shape, boundary):
    """p_mu of every mode, shape (mu, .., n_y, n_x)."""
    sizes = np.array(shape).reshape(-1, *(1,) * len(shape))
    theta = np.angle(boundary).reshape(sizes.shape)
    return (2 * np.pi * coordinates(shape) + theta) / sizes


def plane_wave(shape, boundary, mode):
    """exp(i p x) for the mode (n_x, n_y, ..), shape (.., y, x)."""
    p = momenta(shape, boundary)[(slice(None), *reversed(mode))]
    return np.exp(1j * np.tensordot(p, coordinates(shape), 1))


def wilson_symbol(p, mass, anisotropy=None):
    """D(p) = m0 + sum_mu c_mu [1 - cos p_mu + i gamma_mu sin p_mu], shape (.., n_y, n_x, Ns, Ns)."""
    g = gammas(len(p))
    one = np.eye(g.shape[-1])
    c = np.ones(len(p)) if anisotropy is None else anisotropy
    symbol = mass * one
    for mu, gamma in enumerate(g):
        q = p[mu][..., None, None]
        symbol = symbol + c[mu] * ((1 - np.cos(q)) * one + 1j * np.sin(q) * gamma)
    return symbol


def wilson_propagator(shape, mass, boundary, anisotropy=None):
    """S(x, 0) = 1/V sum_p exp(i p x) / D(p), shape (.., y, x, sink spin, source spin); unit matrix in colour."""
    inverse = np.linalg.inv(wilson_symbol(momenta(shape, boundary), mass, anisotropy))
    sites = tuple(range(len(shape)))
    return plane_wave(shape, boundary, (0,) * len(shape))[..., None, None] * np.fft.ifftn(inverse, axes=sites)


def with_colour(propagator, nc):
    """S(x, 0) with a unit matrix in colour, axes (.., sink spin, sink colour, source spin, source colour)."""
    return np.einsum("...ij,ab->...iajb", propagator, np.eye(nc))


def wilson_norm(shape, mass, boundary, nc=3, anisotropy=None):
    """C(t) = sum over space, spins and colours of |S(x, 0)|^2: the pion correlator of free quarks."""
    s = wilson_propagator(shape, mass, boundary, anisotropy)
    return nc * (np.abs(s) ** 2).sum(axis=tuple(range(1, s.ndim)))


def staggered_condensate(shape, mass, boundary, nc=3):
    """Tr D^-1 / V = Nc / V sum_p m / (m^2 + sum_mu sin^2 p_mu).

    D is m plus an anti-hermitian A with A^dag A = sum_mu sin^2 p_mu; extents must be even.
    """
    p = momenta(shape, boundary)
    return nc * float(np.mean(mass / (mass**2 + (np.sin(p) ** 2).sum(axis=0))))


def staggered_squares(shape, mass, boundary):
    """The eigenvalues m^2 + sum_mu sin^2 p_mu of D^dag D for one colour, in rising order."""
    return np.sort((mass**2 + (np.sin(momenta(shape, boundary)) ** 2).sum(axis=0)).ravel())
